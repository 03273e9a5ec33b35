/** The chosen measure by source, territory, device or version. Selecting a row filters the whole page. */

import { useId } from "preact/hooks";
import { kpisPath } from "../api/questions.js";
import { Spark } from "../charts/spark.js";
import { Change } from "../parts/change.js";
import { Tabs } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { SqlButton } from "../parts/sql_button.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { useAnswer } from "../state/answers.js";
import { choose, route } from "../state/route.js";
import { words } from "../words/en.js";
import { bounded, share, shownIn, UNKNOWN } from "../words/numbers.js";
import { dimensionName, partName } from "../words/parts.js";
import { text } from "../words/say.js";
import { figureOf, kpiOf, titleOf } from "./app_figures.js";

/** @typedef {import("../api/answers.js").KpiReport} KpiReport */
/** @typedef {import("../api/answers.js").ReportedSeries} Series */
/** @typedef {import("../api/answers.js").ReportedKpi} Kpi */
/** @typedef {import("../api/answers.js").CatalogueEntry} Entry */
/** @typedef {import("./app.js").View} View */

const OFFERED = ["source_type", "territory", "device", "app_version", "page_type", "platform_version"];
const ROWS = 8;

/** @param {{ view: View, known: Entry[] | null }} props */
export function Breakdown({ view, known }) {
  const id = useId();
  const entry = known?.find((each) => each.name === view.metric);
  const dimensions = OFFERED.filter((dimension) => entry?.dimensions.includes(dimension));
  const filtered = view.where.split(":")[0] ?? "";
  const wanted = route.value.choices.get("by") ?? filtered;
  const by = dimensions.includes(wanted) ? wanted : (dimensions[0] ?? "");
  const isFiltered = filtered !== "" && filtered !== by;
  const path = by && !isFiltered ? kpisPath({ ...view, where: "", metrics: [view.metric], by, limit: ROWS }) : null;
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<KpiReport>} */ (
    useAnswer(path, { pace: 20_000 })
  );
  const title = entry ? titleOf(entry.name, entry.title) : "";
  return html`
    <section class="panel" aria-label=${text(words.breakdown.label, { title })} aria-busy=${isOld}>
      <div class="head">
        ${
          dimensions.length > 0 &&
          html`
            <${Tabs}
              label=${text(words.breakdown.label, { title })}
              options=${dimensions.map((each) => [each, dimensionName(each)])}
              value=${by}
              panel=${id}
              onChoose=${(/** @type {string} */ each) => choose({ by: each === dimensions[0] ? "" : each }, { replace: true })}
            />
          `
        }
        <span class="grow"></span>
        <${SqlButton} sql=${data?.sql} about=${text(words.breakdown.label, { title })} />
      </div>
      <div class="body" id=${id} role="tabpanel" aria-label=${dimensionName(by)}>
        ${content({ data, problem, isFiltered, isNone: Boolean(entry) && !dimensions.length, by, where: view.where, title })}
      </div>
      <div class="foot"><span>${words.breakdown.note}</span></div>
    </section>
  `;
}

/**
 * @param {object} state
 * @param {KpiReport | null} state.data
 * @param {import("../api/problem.js").Problem | null} state.problem
 * @param {boolean} state.isFiltered
 * @param {boolean} state.isNone
 * @param {string} state.by
 * @param {string} state.where
 * @param {string} state.title
 */
function content({ data, problem, isFiltered, isNone, by, where, title }) {
  if (isFiltered) return html`<p class="soft">${words.breakdown.filtered}</p>`;
  if (isNone) return html`<p class="soft">${words.breakdown.none}</p>`;
  if (problem && !data) return html`<${PanelProblem} problem=${problem} />`;
  if (!data) return html`<${GhostLines} lines=${6} />`;
  return html`<${Bars} report=${data} by=${by} where=${where} title=${title} />`;
}

/** @param {{ report: KpiReport, by: string, where: string, title: string }} props */
function Bars({ report, by, where, title }) {
  const rows = report.series.map((series) => ({ series, ...figureOf(series, kpiOf(report, series)) }));
  const kpi = report.kpis[0];
  if (!kpi || !rows.length) return html`<p class="soft">${words.breakdown.empty}</p>`;
  const most = Math.max(...rows.map((row) => row.value ?? 0)) || 1;
  const sum = kpi.kind === "sum" ? rows.reduce((all, row) => all + (row.value ?? 0), 0) : null;
  return html`
    <ul class="bar-list">
      <li class="headings" aria-hidden="true">
        <span class="part">${dimensionName(by)}</span>
        <span class="spark-heading number">${text(words.breakdown.days, { n: rows[0]?.series.points.length ?? 0 })}</span>
        <span class="number">${title}</span>
        <span class="number">${words.breakdown.share}</span>
        <span class="number">${words.breakdown.change}</span>
      </li>
      ${rows.map((row) => html`<${Bar} row=${row} kpi=${kpi} by=${by} where=${where} most=${most} sum=${sum} />`)}
    </ul>
  `;
}

/** @param {{ row: { series: Series } & ReturnType<typeof figureOf>, kpi: Kpi, by: string, where: string, most: number, sum: number | null }} props */
function Bar({ row, kpi, by, where, most, sum }) {
  const { series, value, change } = row;
  const name = series.is_rest ? words.parts.others : partName(by, series.slice);
  const filter = `${by}:${series.slice ?? ""}`;
  const isChosen = where === filter;
  const figure = bounded(shownIn(kpi.unit)(value), kpi.bound);
  return html`
    <li class=${series.is_rest ? "others" : ""}>
      <span class="bar-fill" style=${{ width: `${(Math.max(0, value ?? 0) / most) * 52}%` }}></span>
      ${
        series.is_rest
          ? html`<span class="part soft">${name}</span>`
          : html`
              <button type="button" class="part" aria-pressed=${isChosen} title=${name} onClick=${() => choose({ where: isChosen ? "" : filter })}>
                <bdi>${name}</bdi>
              </button>
            `
      }
      <span class="spark"><${Spark} values=${series.points.map((point) => point.value)} isFinal=${series.points.map((point) => point.is_final)} width=${78} height=${18} /></span>
      <span class="number">${figure}</span>
      <span class="number soft">${sum ? share((value ?? 0) / sum) : UNKNOWN}</span>
      <span class="number"><${Change} change=${change} unit=${kpi.unit} /></span>
    </li>
  `;
}
