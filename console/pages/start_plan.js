/** A plan as a table: snapshots, Dates, calls, rows, dollars; and the button that repeats them. */

import { html } from "../parts/html.js";
import { operationName } from "../parts/run_words.js";
import { day, span } from "../words/dates.js";
import { words } from "../words/en.js";
import { dollars, short, whole } from "../words/numbers.js";
import { listed, many, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").PlannedRun} PlannedRun */

/** "Backfill of engagement for 2 apps, 1 Jan to 31 Oct." @param {PlannedRun} plan */
export function titleOf(plan) {
  const given = /** @type {Record<string, any>} */ (plan.arguments);
  const tables = given.reports?.length ? text(words.plan.ofTables, { tables: listed(given.reports) }) : "";
  const apps = given.app_ids?.length ? many(words.plan.forApps, given.app_ids.length, whole(given.app_ids.length)) : "";
  const dates = given.start_date && given.end_date ? `, ${span(given.start_date, given.end_date)}` : "";
  const ofRun = given.run_id ? text(words.plan.ofRun, { run: given.run_id }) : "";
  return html`<b>${operationName(plan.operation)}</b>${tables}${apps || (tables || ofRun ? "" : words.plan.forAll)}${dates}${ofRun}.`;
}

/** The text of the button names the action. @param {PlannedRun} plan */
export function buttonOf(plan) {
  const { confirm_word: word, operation } = plan;
  if (operation === "rollback")
    return text(words.plan.rollBack, { what: word || many(words.plan.dates, plan.dates ?? 0, whole(plan.dates)) });
  const parts = [
    plan.apple_calls ? text(words.plan.callsShort, { n: whole(plan.apple_calls) }) : "",
    plan.rows ? text(words.plan.rowsShort, { n: short(plan.rows) }) : "",
    dollars(plan.us_dollars),
  ];
  return text(words.plan.start, {
    operation: operationName(operation).toLowerCase(),
    parts: parts.filter(Boolean).join(", "),
  });
}

/** @param {{ plan: PlannedRun }} props */
export function PlanTable({ plan }) {
  return html`
    <div class="scroll plan">
      <table>
        <caption class="unseen">${words.plan.caption}</caption>
        <tbody>${linesOf(plan).map(([name, value, says]) => html`<tr><th scope="row">${name}</th><td class="wraps soft">${says}</td><td class="number"><b>${value}</b></td></tr>`)}</tbody>
      </table>
    </div>
  `;
}

/** @param {PlannedRun} plan @returns {[name: string, value: string, says: string][]} */
function linesOf(plan) {
  const w = words.plan;
  const lines = /** @type {([string, string, string] | false)[]} */ ([
    plan.snapshots.length > 0 && [w.snapshots, snapshotCount(plan), snapshotsOf(plan)],
    plan.files !== null && [w.files, whole(plan.files), ""],
    plan.dates !== null && [w.dateLine, whole(plan.dates), tablesOf(plan)],
    [w.calls, plan.apple_calls ? `≈ ${whole(plan.apple_calls)}` : "0", callsOf(plan)],
    plan.rows !== null && [w.rows, `≈ ${short(plan.rows)}`, plan.operation === "backfill" ? w.rowsSay : ""],
    [w.cost, dollars(plan.us_dollars), costsOf(plan)],
  ]);
  return lines.filter((line) => line !== false);
}

/** @param {PlannedRun} plan */
function snapshotCount(plan) {
  const used = plan.snapshots.filter((each) => each.snapshot === "use").length;
  const fresh = plan.snapshots.length - used;
  return [fresh && text(words.plan.newOnes, { n: fresh }), used && text(words.plan.usedOnes, { n: used })]
    .filter(Boolean)
    .join(", ");
}

/** @param {PlannedRun} plan */
function snapshotsOf(plan) {
  const fresh = plan.snapshots.filter((each) => each.snapshot !== "use").map((each) => each.app_id);
  const used = plan.snapshots.filter((each) => each.snapshot === "use");
  const lines = [];
  if (fresh.length) lines.push(text(words.plan.requests, { apps: some(fresh) }));
  for (const each of used.slice(0, 3)) {
    const next = each.next_possible_on ? text(words.plan.nextOn, { date: day(each.next_possible_on) }) : "";
    lines.push(
      text(words.plan.uses, { app: each.app_id, date: each.requested_on ? day(each.requested_on) : "–" }) + next,
    );
  }
  return lines.join(" ");
}

/** @param {string[]} ids */
function some(ids) {
  return ids.length > 4 ? `${ids.slice(0, 4).join(", ")} …` : listed(ids);
}

/** @param {PlannedRun} plan */
function tablesOf(plan) {
  const parts = plan.tables.map(({ table_name: table, first, last, dates }) => {
    const range = first && last ? `, ${span(first, last)}` : "";
    return `${table}: ${whole(dates)}${range}`;
  });
  return parts.length > 5 ? many(words.plan.ofTableCount, parts.length) : parts.join("; ");
}

/** @param {PlannedRun} plan */
function callsOf(plan) {
  if (!plan.apple_calls) return words.plan.noCalls;
  const hours = plan.hours > 1 ? text(words.plan.takes, { n: plan.hours }) : "";
  return text(words.plan.quota, { used: whole(plan.apple_calls_used), all: whole(plan.apple_calls_per_hour) }) + hours;
}

/** @param {PlannedRun} plan */
function costsOf(plan) {
  const parts = plan.costs
    .filter((line) => line.us_dollars >= 0.005)
    .map((line) => `${line.what} ${dollars(line.us_dollars)}`);
  return [parts.join(" · "), words.plan.listPrices].filter(Boolean).join(", ");
}
