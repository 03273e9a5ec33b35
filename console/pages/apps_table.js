/** Every app with its numbers. The server filters, sorts and pages; the browser holds one page of rows. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Spark } from "../charts/spark.js";
import { Change } from "../parts/change.js";
import { Chip } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { SearchIcon } from "../parts/icons.js";
import { Panel } from "../parts/panel.js";
import { GhostLines, NothingRow, PanelProblem } from "../parts/states.js";
import { Mark, Verdict, WORST_FIRST } from "../parts/verdict.js";
import { useAnswer } from "../state/answers.js";
import { address, choose, route, withChoices } from "../state/route.js";
import { tipped } from "../state/tip.js";
import { day, span } from "../words/dates.js";
import { words } from "../words/en.js";
import { bounded, exactIn, shownIn, UNKNOWN, whole } from "../words/numbers.js";
import { text } from "../words/say.js";

/** @typedef {import("../api/answers.js").AppTable} AppTable */
/** @typedef {import("../api/answers.js").AppColumn} AppColumn */
/** @typedef {import("../api/answers.js").AppRow} AppRow */

const DAYS = 28;
const ROWS = 50;
const TYPING = 150;

/** @param {URLSearchParams} choices */
function question(choices) {
  const query = new URLSearchParams({ days: String(DAYS), limit: String(ROWS) });
  const sort = choices.get("sort");
  if (sort) {
    query.set("sort", sort.replace(/^-/, ""));
    query.set("order", sort.startsWith("-") ? "desc" : "asc");
  }
  for (const [name, value] of [
    ["q", choices.get("q")],
    ["verdict", choices.get("verdict")],
    ["cursor", choices.get("page")],
  ]) {
    if (name && value) query.set(name, value);
  }
  return `apps?${query}`;
}

/** The server's order when none is chosen. @param {AppColumn[]} columns */
const firstSort = (columns) => `-${columns[0]?.name ?? "name"}`;

export function AppsTable() {
  const { choices } = route.value;
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<AppTable>} */ (
    useAnswer(question(choices))
  );
  return html`
    <${Panel}
      title=${words.apps.title}
      beside=${text(words.apps.period, { days: DAYS })}
      tools=${html`<div class="tools"><${Filter} /><${MeasureChoice} columns=${data?.columns ?? []} /></div>`}
      foot=${data && html`<${Pages} table=${data} />`}
      isBusy=${isOld}
    >
      ${data && html`<div class="body chips-row"><${Verdicts} counts=${data.counts} /></div>`}
      ${data ? html`<${Rows} table=${data} />` : problem ? html`<${PanelProblem} problem=${problem} />` : html`<${GhostLines} lines=${12} />`}
    </${Panel}>
  `;
}

/** A typed filter is put into the URL after a short delay. */
function Filter() {
  const query = route.value.choices.get("q") ?? "";
  const [typed, setTyped] = useState(query);
  const waiting = useRef(0);
  useEffect(() => setTyped(query), [query]);
  const onInput = (/** @type {InputEvent} */ event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.currentTarget);
    setTyped(value);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => choose({ q: value.trim(), page: "" }, { replace: true }), TYPING);
  };
  return html`
    <label class="search">
      <span class="unseen">${words.apps.filter}</span>
      <${SearchIcon} />
      <input data-filter autocomplete="off" placeholder=${words.apps.filterHint} value=${typed} onInput=${onInput} />
      <kbd aria-hidden="true">/</kbd>
    </label>
  `;
}

/** On a phone only one measure is shown. @param {{ columns: AppColumn[] }} props */
function MeasureChoice({ columns }) {
  const onChange = (/** @type {Event} */ event) =>
    choose({ measure: /** @type {HTMLSelectElement} */ (event.currentTarget).value });
  return html`
    <label class="only-phone">
      <span class="unseen">${words.apps.measure}</span>
      <select value=${measureShown(columns)} onChange=${onChange}>
        ${columns.map((column) => html`<option value=${column.name}>${titleOf(column)}</option>`)}
      </select>
    </label>
  `;
}

/** @param {AppColumn[]} columns */
function measureShown(columns) {
  const chosen = route.value.choices.get("measure");
  return columns.some((column) => column.name === chosen) ? chosen : columns[0]?.name;
}

/** @param {AppColumn} column */
function titleOf(column) {
  return words.kpis[column.name]?.short ?? column.title;
}

/** @param {{ counts: Record<string, number> }} props */
function Verdicts({ counts }) {
  const chosen = route.value.choices.get("verdict") ?? "";
  const chip = (/** @type {string} */ verdict, /** @type {any} */ mark, /** @type {string} */ word) => html`
    <${Chip} key=${verdict} isOn=${chosen === verdict} onToggle=${() => choose({ verdict: chosen === verdict ? "" : verdict, page: "" })}>
      ${mark}<span>${word}</span> <b>${whole(counts[verdict || "all"] ?? 0)}</b>
    </${Chip}>
  `;
  const action = html`<span class="mark family-bad" aria-hidden="true">!</span>`;
  return html`
    <div class="chips" role="group" aria-label=${words.apps.byVerdict}>
      ${chip("", "", words.apps.all)}
      ${(counts.action ?? 0) > 0 && chip("action", action, words.apps.needsAction)}
      ${WORST_FIRST.filter((verdict) => counts[verdict]).map((verdict) => chip(verdict, html`<${Mark} verdict=${verdict} />`, verdict))}
    </div>
  `;
}

/** @param {{ table: AppTable }} props */
function Rows({ table }) {
  const { columns, apps } = table;
  const shown = measureShown(columns);
  const standard = firstSort(columns);
  return html`
    <div class="scroll" tabindex="-1">
      <table class="apps listed">
        <caption class="unseen">${words.apps.caption}</caption>
        <thead>
          <tr>
            <${Heading} name="verdict" title=${words.apps.verdict} standard=${standard} />
            <${Heading} name="name" title=${words.apps.app} first="name" standard=${standard} />
            <th scope="col">${columns[0] && text(words.apps.byDay, { measure: titleOf(columns[0]) })}</th>
            ${columns.map((column) => html`<${Heading} name=${column.name} title=${titleOf(column)} unit=${words.kpis[column.name]?.unit} column=${column} standard=${standard} />`)}
            <th scope="col" class="number optional">${words.apps.until}</th>
          </tr>
        </thead>
        <tbody>
          ${apps.map((app) => html`<${Row} key=${app.app_id} app=${app} columns=${columns} shown=${shown} />`)}
          ${!apps.length && html`<${Nothing} columns=${columns.length + 4} />`}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {{ name: string, title: string, standard: string, unit?: string, first?: string, column?: AppColumn }} props */
function Heading({ name, title, standard, unit, first = `-${name}`, column }) {
  const sort = route.value.choices.get("sort") || standard;
  const isSorted = sort.replace(/^-/, "") === name;
  const isDown = sort.startsWith("-");
  const next = isSorted ? (isDown ? name : `-${name}`) : first;
  const says =
    column &&
    html`
    <p><b>${column.title}</b></p>
    <p>${text(words.apps.columnPeriod, { dates: span(column.period.start, column.period.end), before: span(column.previous_period.start, column.previous_period.end) })}</p>
    <p class="soft">${column.trap}</p>
  `;
  return html`
    <th scope="col" class=${column ? "number" : ""} aria-sort=${isSorted ? (isDown ? "descending" : "ascending") : undefined}>
      <button type="button" class="sort" ...${tipped(says)} onClick=${() => choose({ sort: next === standard ? "" : next, page: "" })}>
        ${title}${unit && html` <span class="unit">${unit}</span>`}${isSorted && (isDown ? " ↓" : " ↑")}
      </button>
    </th>
  `;
}

/** @param {{ app: AppRow, columns: AppColumn[], shown: string | null | undefined }} props */
function Row({ app, columns, shown }) {
  return html`
    <tr>
      <td><${Verdict} verdict=${app.verdict} /></td>
      <td class="app"><div><a href=${address(`apps/${app.app_id}`)}><bdi>${app.app_name || app.app_id}</bdi></a><span class="id"> ${app.app_name && app.app_id}${app.tables.length > 0 && ` · ${app.tables.join(", ")}`}</span></div></td>
      <td class="spark"><${Spark} values=${app.spark.map((point) => point.value)} isFinal=${app.spark.map((point) => point.is_final)} /></td>
      ${columns.map((column) => html`<${Measure} app=${app} column=${column} isShown=${column.name === shown} />`)}
      <td class="number optional until soft">${app.complete_until ? day(app.complete_until) : UNKNOWN}</td>
    </tr>
  `;
}

/** @param {{ app: AppRow, column: AppColumn, isShown: boolean }} props */
function Measure({ app, column, isShown }) {
  const { value = null, change = null, missing = 0 } = app.metrics[column.name] ?? {};
  const gap = missing > 0 ? html`<p>${text(words.apps.missing, { n: missing })}</p>` : "";
  const says = value !== null && html`<p><b>${bounded(exactIn(column.unit)(value), column.bound)}</b></p>${gap}`;
  return html`
    <td class=${`number measure ${isShown ? "chosen" : ""}`}>
      <span ...${tipped(says)}>${bounded(shownIn(column.unit)(value), column.bound)}</span>${" "}
      ${missing > 0 ? html`<span class="change gap">${text(words.apps.gap, { n: missing })}</span>` : html`<${Change} change=${change} unit=${column.unit} />`}
    </td>
  `;
}

/** @param {{ columns: number }} props */
function Nothing({ columns }) {
  const typed = route.value.choices.get("q");
  const says = typed ? text(words.apps.noneCalled, { typed }) : words.apps.noneSo;
  return html`
    <${NothingRow} columns=${columns} says=${says}>
      ${typed && html`<p class="quiet">${words.apps.isItNew}</p>`}
      <p><a class="button slim" href=${withChoices({ q: "", verdict: "", page: "" })}>${words.apps.clear}</a></p>
    </${NothingRow}>
  `;
}

/** @param {{ table: AppTable }} props */
function Pages({ table }) {
  const { offset, apps, total } = table;
  const range = apps.length
    ? text(words.apps.range, { from: whole(offset + 1), to: whole(offset + apps.length), total: whole(total) })
    : words.apps.none;
  const step = (/** @type {string} */ cursor, /** @type {string} */ word, /** @type {boolean} */ can) =>
    html`<button type="button" class="button slim" disabled=${!can} onClick=${() => choose({ page: cursor })}>${word}</button>`;
  return html`
    <span role="status">${range}</span>
    <span class="grow"></span>
    ${step(table.previous, words.apps.previous, offset > 0)} ${step(table.next, words.apps.next, Boolean(table.next))}
  `;
}
