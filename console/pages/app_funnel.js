/** From impression to download, by source. */

import { kpisPath } from "../api/questions.js";
import { html } from "../parts/html.js";
import { Note, Panel } from "../parts/panel.js";
import { SqlButton } from "../parts/sql_button.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { useAnswer } from "../state/answers.js";
import { day } from "../words/dates.js";
import { words } from "../words/en.js";
import { share, short, UNKNOWN } from "../words/numbers.js";
import { partName } from "../words/parts.js";
import { text } from "../words/say.js";
import { askable } from "./app_figures.js";

/** @typedef {import("../api/answers.js").CatalogueEntry} Entry */
/** @typedef {import("../api/answers.js").KpiReport} KpiReport */
/** @typedef {import("../api/answers.js").ReportedSeries} Series */
/** @typedef {import("./app.js").View} View */

const STEPS = ["impressions", "product_page_views", "total_downloads"];
const BY = "source_type";
const SOURCES = 6;

/** @param {{ view: View, known: Entry[] | null }} props */
export function Funnel({ view, known }) {
  const isThere = askable(STEPS, known, "").length === STEPS.length;
  const question = { ...view, metrics: STEPS, compares: false };
  const isSplit = isThere && (view.where === "" || view.where.startsWith(`${BY}:`));
  const whole = useAnswer(isThere ? kpisPath(question) : null, { pace: 20_000 });
  const parts = useAnswer(isSplit ? kpisPath({ ...question, by: BY, limit: SOURCES }) : null, { pace: 20_000 });
  const report = /** @type {KpiReport | null} */ (whole.data);
  const split = /** @type {KpiReport | null} */ (parts.data);
  const end = report?.series.map((series) => series.total.end ?? "").sort()[0] ?? "";
  const isMissing = known !== null && !isThere;
  return html`
    <${Panel}
      title=${words.funnel.title}
      beside=${end && text(words.figures.to, { date: day(end) })}
      tools=${html`<${SqlButton} sql=${(split ?? report)?.sql} about=${words.funnel.title} />`}
      foot=${html`<${Note}>${words.funnel.note}</${Note}>`}
      isBusy=${whole.isOld || parts.isOld}
    >
      ${
        isMissing
          ? html`<p class="body soft">${words.funnel.none}</p>`
          : html`<${Content} report=${report} split=${isSplit ? split : null} problem=${whole.problem} isSplit=${isSplit} />`
      }
    </${Panel}>
  `;
}

/** @param {{ report: KpiReport | null, split: KpiReport | null, problem: import("../api/problem.js").Problem | null, isSplit: boolean }} props */
function Content({ report, split, problem, isSplit }) {
  if (report)
    return html`<div class="body"><${Rows} whole=${report} parts=${split} />${!isSplit && html`<p class="soft">${words.funnel.filtered}</p>`}</div>`;
  return problem ? html`<${PanelProblem} problem=${problem} />` : html`<${GhostLines} lines=${6} />`;
}

/** @param {{ whole: KpiReport, parts: KpiReport | null }} props */
function Rows({ whole, parts }) {
  const amounts = (/** @type {KpiReport} */ report, /** @type {(series: Series) => boolean} */ matches) =>
    STEPS.map((step) => report.series.find((series) => series.kpi === step && matches(series))?.total.value ?? null);
  const names = parts ? partsOf(parts) : [];
  const rows = names.map(({ slice, isRest }) => ({
    name: isRest ? words.parts.others : partName(BY, slice),
    values: amounts(/** @type {KpiReport} */ (parts), (series) => series.slice === slice && series.is_rest === isRest),
  }));
  const most = STEPS.map((_, step) => Math.max(...rows.map((row) => row.values[step] ?? 0)));
  return html`
    <div class="funnel" role="table" aria-label=${words.funnel.title}>
      <div class="funnel-row" role="row">
        ${[words.funnel.source, ...words.funnel.steps].map((word) => html`<span class="heading" role="columnheader">${word}</span>`)}
      </div>
      <${Row} name=${words.funnel.all} values=${amounts(whole, () => true)} most=${null} />
      ${rows.map((row) => html`<${Row} key=${row.name} ...${row} most=${most} />`)}
    </div>
  `;
}

/** The sources in the order of the first step, the others last. @param {KpiReport} parts */
function partsOf(parts) {
  return parts.series
    .filter((series) => series.kpi === STEPS[0])
    .map((series) => ({ slice: series.slice, isRest: series.is_rest }));
}

/** @param {{ name: string, values: (number | null)[], most: number[] | null }} props */
function Row({ name, values, most }) {
  const [seen] = values;
  return html`
    <div class="funnel-row" role="row">
      <span class="part" role="rowheader" title=${name}>${most ? html`<bdi>${name}</bdi>` : html`<b>${name}</b>`}</span>
      ${values.map((value, step) => {
        const width = most && value ? `${(value / (most[step] || 1)) * 100}%` : "0";
        return html`
          <span class="amount" role="cell">
            <span class="bar-fill" style=${{ width }}></span>
            <span class="of">${most ? short(value) : html`<b>${short(value)}</b>`}</span>
            ${step > 0 && html`<span class="share">${seen && value !== null ? share(value / seen) : UNKNOWN}</span>`}
          </span>
        `;
      })}
    </div>
  `;
}
