/** Tables × Dates. A block without a problem is pale; only problems have a letter and an edge. */

import { day, dayOfMonth, plusDays, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { text } from "../words/say.js";
import { html } from "./html.js";
import { useReader } from "./reader.js";
import { familyOf, isException, letterOf, sentenceOf } from "./verdict.js";

/** @typedef {import("../api/answers.js").TableLine} TableLine */
/** @typedef {import("../api/answers.js").DateCell} DateCell */

const SILENT = ["fresh", "preliminary"];
const ONLY_EDGED = /** @type {Record<string, string>} */ ({
  fresh: "good",
  preliminary: "hatched",
  zero: "zero",
  none: "none",
});

/**
 * @param {object} props
 * @param {string[]} props.dates
 * @param {TableLine[]} props.tables
 * @param {boolean} props.isOneApp
 */
export function Strip({ dates, tables, isOneApp }) {
  return html`
    <div class="strip">
      <div class="strip-row axis" aria-hidden="true">
        <span class="strip-name"></span>
        <span class="strip-until">${words.strip.until}</span>
        <div class="cells">
          ${dates.map((date, index) => html`<span>${(dates.length - 1 - index) % 5 ? "" : dayOfMonth(date)}</span>`)}
        </div>
      </div>
      ${tables.map((table) => html`<${StripRow} key=${table.table_name} table=${table} dates=${dates} isOneApp=${isOneApp} />`)}
    </div>
  `;
}

/** @param {{ table: TableLine, dates: string[], isOneApp: boolean }} props */
function StripRow({ table, dates, isOneApp }) {
  const { cells } = table;
  const [here, reader] = useReader({
    count: cells.length,
    label: text(words.strip.row, {
      table: table.table_name,
      until: untilOf(table),
      exceptions: exceptionsOf(table, dates),
    }),
    spoken: (index) => `${weekday(dates[index] ?? "")}: ${wordsOf(cells[index], table, isOneApp)}`,
    tip: (index) => tipOf(index, table, dates, isOneApp),
    placeOf: (index, row) => /** @type {Element} */ (row.children[index]).getBoundingClientRect(),
    under: (event, row) => {
      const cell = /** @type {Element} */ (event.target).closest(".cell");
      return cell ? [...row.children].indexOf(cell) : null;
    },
  });
  const isBehind = !isOneApp && table.apps_complete < table.apps;
  return html`
    <div class="strip-row">
      <span class="strip-name" title=${table.report}>${table.table_name}</span>
      <span class="strip-until">
        ${isBehind && html`<span class="few">${fewOf(table)}</span>`}
        <span>${untilOf(table)}</span>
      </span>
      <div class="cells" ...${reader}>
        ${cells.map((cell, index) => html`<${Cell} cell=${cell} apps=${table.apps} isHere=${index === here} />`)}
      </div>
    </div>
  `;
}

/** @param {{ cell: DateCell, apps: number, isHere?: boolean }} props */
export function Cell({ cell, apps, isHere = false }) {
  const { verdict } = cell;
  const kind = ONLY_EDGED[verdict] ?? familyOf(verdict);
  const most = isException(verdict) && apps > 1 && cell.apps * 2 > apps ? "most" : "";
  const letter = SILENT.includes(verdict) ? "" : letterOf(verdict);
  return html`
    <span class=${`cell ${kind} ${most} ${cell.is_restated ? "restated" : ""} ${isHere ? "here" : ""}`} aria-hidden="true">
      ${verdict === "none" ? "·" : letter}
    </span>
  `;
}

/** The Date up to which most apps are complete; exceptions are listed beside it. @param {TableLine} table */
function untilOf(table) {
  const until = table.most_until ?? table.complete_until;
  return until ? day(until) : words.strip.never;
}

/** @param {TableLine} table */
function fewOf(table) {
  return text(words.strip.of, { some: whole(table.apps_complete), all: whole(table.apps) });
}

/** @param {TableLine} table @param {string[]} dates */
function exceptionsOf(table, dates) {
  const found = table.cells.flatMap((cell, index) =>
    isException(cell.verdict) ? [`${day(dates[index] ?? "")} ${cell.verdict}`] : [],
  );
  return found.length ? found.join(", ") : words.strip.noException;
}

/** "1 of 70 quarantined, 69 fresh" @param {DateCell | undefined} cell @param {TableLine} table @param {boolean} isOneApp */
function wordsOf(cell, table, isOneApp) {
  if (!cell) return "";
  const restated = cell.is_restated ? `, ${words.strip.restated}` : "";
  const isAll = isOneApp || cell.apps >= table.apps || cell.verdict === "fresh";
  if (isAll) return cell.verdict + restated;
  const rest = table.apps - cell.apps;
  return (
    text(words.strip.some, {
      some: whole(cell.apps),
      all: whole(table.apps),
      verdict: cell.verdict,
      rest: whole(rest),
    }) + restated
  );
}

/** @param {number} index @param {TableLine} table @param {string[]} dates @param {boolean} isOneApp */
function tipOf(index, table, dates, isOneApp) {
  const cell = table.cells[index];
  const date = dates[index] ?? "";
  if (!cell) return "";
  const final =
    cell.verdict === "preliminary"
      ? text(words.strip.finalOn, { date: weekday(plusDays(date, table.window_days)) })
      : "";
  return html`
    <p><b>${table.table_name} · ${weekday(date)}</b></p>
    <p>${wordsOf({ ...cell, is_restated: false }, table, isOneApp)}</p>
    <p class="soft">${sentenceOf(cell.verdict)}${final}</p>
    ${cell.is_restated && html`<p>◥ ${words.strip.restatedLong}</p>`}
  `;
}

/** The meaning of the marks in a strip. @param {{ verdicts?: string[] }} props */
export function StripLegend({ verdicts = [] }) {
  const shown = [...new Set(["fresh", "preliminary", "zero", "below threshold", ...verdicts])];
  return html`
    <div class="legend">
      ${shown.map(
        (verdict) => html`
          <span>
            <${Cell} cell=${{ verdict, apps: 1, is_restated: false }} apps=${1} />
            ${/** @type {Record<string, string>} */ (words.strip.legend)[verdict] ?? verdict}
          </span>
        `,
      )}
      <span><${Cell} cell=${{ verdict: "fresh", apps: 1, is_restated: true }} apps=${1} />${words.strip.restatedShort}</span>
    </div>
  `;
}
