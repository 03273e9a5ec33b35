/** Tiles that choose the chart, and the chart: tile, line, table and file use the same points. */

import { useState } from "preact/hooks";
import { kpisPath, releasesPath } from "../api/questions.js";
import { Change } from "../parts/change.js";
import { CsvButton } from "../parts/csv_button.js";
import { html } from "../parts/html.js";
import { Note } from "../parts/panel.js";
import { SeriesChart } from "../parts/series_chart.js";
import { SeriesTable } from "../parts/series_table.js";
import { SqlButton } from "../parts/sql_button.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { letterOf } from "../parts/verdict.js";
import { useAnswer } from "../state/answers.js";
import { choose } from "../state/route.js";
import { day } from "../words/dates.js";
import { words } from "../words/en.js";
import { bounded, shownIn, signOf } from "../words/numbers.js";
import { many, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").KpiReport} KpiReport */
/** @typedef {import("../api/answers.js").ReportedKpi} Kpi */
/** @typedef {import("../api/answers.js").ReportedSeries} Series */
/** @typedef {import("../api/answers.js").CatalogueEntry} Entry */
/** @typedef {import("../api/answers.js").Annotations} Annotations */
/** @typedef {import("../api/answers.js").ReleaseList} ReleaseList */
/** @typedef {import("./app.js").View} View */

/** In the order in which people need them. */
const TILES = [
  "impressions",
  "product_page_views",
  "total_downloads",
  "conversion_per_impression",
  "proceeds",
  "sessions",
  "active_devices",
  "crashes_per_1000_sessions",
];

/**
 * The KPIs among these that the installation has, and that support the chosen filter.
 * @param {string[]} names
 * @param {Entry[] | null} known
 * @param {string} where
 */
export function askable(names, known, where) {
  const dimension = where.split(":")[0] ?? "";
  return names.filter((name) => {
    const entry = known?.find((each) => each.name === name);
    return entry?.is_deployed && (!dimension || entry.dimensions.includes(dimension));
  });
}

/** @param {string} name @param {string} title */
export function titleOf(name, title) {
  const known = words.kpis[name];
  return known ? `${known.short}${known.unit ? ` ${known.unit}` : ""}` : title;
}

/** @param {{ view: View, known: Entry[] | null }} props */
export function Figures({ view, known }) {
  const metrics = askable(TILES, known, view.where);
  const path = metrics.length ? kpisPath({ ...view, metrics }) : null;
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<KpiReport>} */ (
    useAnswer(path, { pace: 20_000 })
  );
  if (!data) {
    return html`
      <section class="panel" aria-label=${words.figures.label}>
        ${problem ? html`<${PanelProblem} problem=${problem} />` : known && !metrics.length ? html`<p class="well">${words.figures.none}</p>` : html`<${GhostLines} lines=${9} />`}
      </section>
    `;
  }
  const shown = data.series.find((series) => series.kpi === view.metric) ?? data.series[0];
  return html`
    <section class="panel" aria-label=${words.figures.label} aria-busy=${isOld}>
      <div class="tiles" role="group" aria-label=${words.figures.choose}>
        ${data.series.map((series) => html`<${Tile} key=${series.kpi} series=${series} kpi=${kpiOf(data, series)} isShown=${series === shown} compares=${view.compares} />`)}
      </div>
      ${shown && html`<${Chosen} series=${shown} kpi=${kpiOf(data, shown)} view=${view} known=${known} />`}
    </section>
  `;
}

/** @param {KpiReport} report @param {Series} series @returns {Kpi} */
export function kpiOf(report, series) {
  return /** @type {Kpi} */ (report.kpis.find((kpi) => kpi.name === series.kpi));
}

/**
 * The value of a tile: the total over final Dates; for KPIs without a total the newest final Date.
 * @param {Series} series
 * @param {Kpi} kpi
 */
export function figureOf(series, kpi) {
  const { total } = series;
  const addsUp = !["stock", "bound"].includes(kpi.kind) || total.value !== null;
  if (addsUp)
    return { value: total.value, change: total.change, end: total.end, missing: total.missing, isOneDate: false };
  const newest = series.points.findLast((point) => point.is_final && point.value !== null);
  const { value = null, previous = null } = newest ?? {};
  return {
    value,
    change: value !== null && previous ? value / previous - 1 : null,
    end: newest?.day ?? null,
    missing: 0,
    isOneDate: true,
  };
}

/** @param {{ series: Series, kpi: Kpi, isShown: boolean, compares: boolean }} props */
function Tile({ series, kpi, isShown, compares }) {
  const figure = figureOf(series, kpi);
  const title = titleOf(kpi.name, kpi.title);
  const end = figure.end ? text(figure.isOneDate ? words.figures.on : words.figures.to, { date: day(figure.end) }) : "";
  const gap = series.points.find((point) => point.value === null && !point.is_final && point.state !== "not due");
  return html`
    <button type="button" class="tile" aria-pressed=${isShown} onClick=${() => choose({ metric: kpi.name === "total_downloads" ? "" : kpi.name })}>
      <span class="label" title=${title}>${title}</span>
      <span class="figure">${bounded(shownIn(kpi.unit)(figure.value), kpi.bound)}</span>
      ${
        figure.missing > 0
          ? html`<span class="beside gap">${letterOf(gap?.state ?? "missing")} ${many(words.figures.missing, figure.missing)}</span>`
          : html`<span class="beside">${compares && figure.change !== null && html`<${Change} change=${figure.change} unit=${kpi.unit} /> · `}${end || words.figures.noneFinal}</span>`
      }
    </button>
  `;
}

/** @param {{ series: Series, kpi: Kpi, view: View, known: Entry[] | null }} props */
function Chosen({ series, kpi, view, known }) {
  const [isTable, setTable] = useState(false);
  const title = titleOf(kpi.name, kpi.title);
  const entry = known?.find((each) => each.name === kpi.name);
  const first = series.points[0]?.day ?? "";
  const last = series.points.at(-1)?.day ?? "";
  const annotations = useAnswer(`annotations?apps=${view.app}&from=${first}&to=${last}`, { pace: 60_000 });
  const releases = useAnswer(first ? releasesPath(view.app, first) : null, { pace: 300_000 });
  const chart = { kpi, title, points: series.points, compares: view.compares, days: view.days };
  return html`
    <div class="head">
      <h2>${title}</h2>
      <${Key} series=${series} view=${view} />
      <span class="grow"></span>
      <div class="tools chart-tools">
        <button type="button" class="button slim bare" aria-pressed=${isTable} onClick=${() => setTable(!isTable)}>
          ${isTable ? words.chart.asChart : words.chart.asTable}
        </button>
        <${CsvButton} path=${kpisPath({ ...view, metrics: [kpi.name] })} name=${`${kpi.name}-${view.app}-${last}.csv`} />
        <${SqlButton} sql=${kpi.sql} about=${title} />
      </div>
    </div>
    <div class="body">
      ${
        isTable
          ? html`<${SeriesTable} ...${chart} />`
          : html`<${SeriesChart} ...${chart} window=${(entry?.window_days ?? 0) + 1} releases=${flagsOf(releases.data, annotations.data)} shown=${shownIn(kpi.unit)} />`
      }
    </div>
    <div class="foot"><${Note} sign=${signOf(kpi.bound) || "i"}>${kpi.trap} <span class="quiet">${text(words.chart.from, { tables: kpi.tables.join(", ") })}</span></${Note}></div>
  `;
}

/**
 * What happened on which day: the versions that a run saw on sale, and what people have written down. Who has written
 * down a version on its day knows more about it than the store.
 * @param {ReleaseList | null} known
 * @param {Annotations | null} annotations
 */
function flagsOf(known, annotations) {
  const notes = (annotations?.annotations ?? []).map(({ day, text: name }) => ({ date: day, name, told: name }));
  const versions = (known?.releases ?? []).flatMap(({ released_on: date, version, is_inferred: isInferred }) => {
    if (!date || notes.some((note) => note.date === date && note.name.includes(version))) return [];
    return [{ date, name: version, told: isInferred ? text(words.chart.firstUsed, { version }) : version }];
  });
  return [...versions, ...notes].sort((one, other) => one.date.localeCompare(other.date));
}

/** @param {{ series: Series, view: View }} props */
function Key({ series, view }) {
  const { points } = series;
  const sample = (/** @type {string} */ kind) => html`
    <svg width="22" height="10" aria-hidden="true"><path class=${`chart-line ${kind}`} d="M0 5H22" /></svg>
  `;
  return html`
    <div class="key">
      <span>${sample("")}${words.chart.final}</span>
      ${points.some((point) => point.state === "preliminary") && html`<span>${sample("open")}${words.chart.notFinal}</span>`}
      ${view.compares && html`<span>${sample("before")}${text(words.chart.before, { n: view.days })}</span>`}
      ${
        points.some((point) => point.restated_on) &&
        html`<span><svg width="12" height="12" aria-hidden="true"><path class="chart-restated" d="M6 .5 11.5 6 6 11.5.5 6z" /></svg>${words.strip.restatedShort}</span>`
      }
    </div>
  `;
}
