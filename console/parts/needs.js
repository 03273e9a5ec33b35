/** Problems, oldest first: reason, responsible person, and repair. */

import { address } from "../state/route.js";
import { may } from "../state/session.js";
import { day, span, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { many, text } from "../words/say.js";
import { html } from "./html.js";
import { Panel } from "./panel.js";
import { Mark } from "./verdict.js";

/** @typedef {import("../api/answers.js").Attention} Attention */
/** @typedef {import("../api/answers.js").RepairRun} RepairRun */

const SHOWN = 8;

/** @param {{ attention: Attention[] }} props */
export function Needs({ attention }) {
  const rest = attention.length - SHOWN;
  return html`
    <${Panel}
      kind="needs-panel"
      title=${words.needs.title}
      beside=${attention.length ? text(words.needs.count, { n: attention.length }) : ""}
      foot=${rest > 0 && html`<a href=${address("apps", { verdict: "action" })}>${many(words.needs.more, rest)}</a>`}
    >
      ${
        attention.length
          ? html`<ul class="needs">${attention.slice(0, SHOWN).map((each) => html`<${Need} need=${each} />`)}</ul>`
          : html`<p class="well">${words.needs.none}</p>`
      }
    </${Panel}>
  `;
}

/** @param {{ need: Attention }} props */
function Need({ need }) {
  return html`
    <li>
      <${Mark} verdict=${need.verdict} />
      <span><${Whose} need=${need} /></span>
      ${need.since && html`<span class="since quiet">${text(words.needs.since, { date: weekday(need.since) })}</span>`}
      <p class="why"><b>${capital(need.verdict)}.</b> ${need.reason} ${keptUntil(need)} ${whoActs(need)}</p>
      <p class="what-next">
        <${RepairLink} repair=${need.repair} first=${need.first} last=${need.last} />
        ${need.app_id && html`<a href=${address(`apps/${need.app_id}`)}>${words.needs.openApp}</a>`}
        ${need.run_id && html`<a href=${address(`runs/${need.run_id}`)}>${words.needs.openRun}</a>`}
        <${Docs} place=${need.docs} />
      </p>
    </li>
  `;
}

/** Always name and id; the table last. @param {{ need: Attention }} props */
function Whose({ need }) {
  const table = need.table_name || words.needs.allTables;
  if (!need.app_id) return html`<b>${text(words.needs.account, { account: need.account })}</b> · ${table}`;
  if (!need.app_name) return html`<b>${need.app_id}</b> · ${table}`;
  return html`<b><bdi>${need.app_name}</bdi></b> <span class="id">${need.app_id}</span> · ${table}`;
}

/** @param {Attention} need */
function keptUntil(need) {
  return need.kept_until ? text(words.needs.keptUntil, { date: day(need.kept_until) }) : "";
}

/** The responsible person and the action, if no link below shows them. @param {Attention} need */
function whoActs(need) {
  return need.repair ? "" : text(words.needs.who, { who: capital(need.who), do: need.do });
}

/**
 * The link to a run that repairs the problem: its plan is shown before anything starts. Only for people who can start
 * runs.
 * @param {{ repair: RepairRun | null, first?: string | null, last?: string | null, kind?: string }} props
 */
export function RepairLink({ repair, first, last, kind = "" }) {
  if (!repair || !may("start runs")) return null;
  const dates =
    first && last && repair.operation === "backfill" ? text(words.needs.ofDates, { dates: span(first, last) }) : "";
  const plan = /** @type {Record<string, string>} */ (words.needs.plan)[repair.operation] ?? repair.operation;
  return html`<a class=${kind} href=${planAddress(repair)}>${plan}${dates}</a>`;
}

/**
 * The place in the documentation, which is in the repository; the console does not serve it.
 * @param {{ place: string }} props
 */
export function Docs({ place }) {
  return place && html`<span class="quiet">${words.needs.docs} <span class="mono">${place}</span></span>`;
}

/** The page of runs with its dialog filled in. @param {RepairRun} repair */
export function planAddress({ operation, arguments: given }) {
  const fields = Object.entries(given).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(" ") : String(value),
  ]);
  return address("runs", { start: operation, ...Object.fromEntries(fields) });
}

/** @param {string} word */
export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
