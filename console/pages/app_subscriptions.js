/** Subscriptions: the stock on a Date, and the flow on each Date. */

import { useId } from "preact/hooks";
import { kpisPath } from "../api/questions.js";
import { FlowChart } from "../charts/flow.js";
import { StockChart } from "../charts/stock.js";
import { Change } from "../parts/change.js";
import { html } from "../parts/html.js";
import { useNear } from "../parts/near.js";
import { Note, Panel } from "../parts/panel.js";
import { useReader } from "../parts/reader.js";
import { SqlButton } from "../parts/sql_button.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { useWidth } from "../parts/width.js";
import { useAnswer } from "../state/answers.js";
import { day, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { share, short, signed, UNKNOWN, whole } from "../words/numbers.js";
import { text } from "../words/say.js";
import { askable, figureOf, kpiOf } from "./app_figures.js";

/** @typedef {import("../api/answers.js").KpiReport} KpiReport */
/** @typedef {import("../api/answers.js").ReportedSeries} Series */
/** @typedef {import("../api/answers.js").CatalogueEntry} Entry */
/** @typedef {import("./app.js").View} View */

const STOCK = ["active_paid_subscriptions", "active_trials", "subscriptions_in_billing_issue"];
const CAME = ["subscription_starts", "trial_starts"];
const WENT = "subscription_churn";
const FURTHER = "trial_to_paid";

/** @param {{ view: View, known: Entry[] | null }} props */
export function Subscriptions({ view, known }) {
  const [element, isNear] = useNear();
  const wanted = [...STOCK, ...CAME, WENT, FURTHER];
  const metrics = askable(wanted, known, "");
  const isThere = metrics.length === wanted.length;
  const path = isNear && isThere ? kpisPath({ ...view, where: "", metrics }) : null;
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<KpiReport>} */ (
    useAnswer(path, { pace: 60_000 })
  );
  return html`
    <${Panel}
      title=${words.subscriptions.title}
      beside=${words.subscriptions.beside}
      tools=${html`<${SqlButton} sql=${data?.sql} about=${words.subscriptions.title} />`}
      foot=${html`<${Note}>${words.subscriptions.note}</${Note}>`}
      isBusy=${isOld}
    >
      <div class="body stack" ref=${element}>
        ${data ? html`<${Content} report=${data} view=${view} />` : problem ? html`<${PanelProblem} problem=${problem} />` : known && !isThere ? html`<p class="soft">${words.subscriptions.none}</p>` : html`<${GhostLines} lines=${7} isAsked=${isNear} />`}
      </div>
    </${Panel}>
  `;
}

/** @param {KpiReport} report @param {string} name */
function seriesOf(report, name) {
  return /** @type {Series} */ (report.series.find((series) => series.kpi === name));
}

/** @param {{ report: KpiReport, view: View }} props */
function Content({ report, view }) {
  const stock = STOCK.map((name) => seriesOf(report, name));
  const isEmpty = report.series.every((series) => series.points.every((point) => !point.value));
  if (isEmpty) return html`<p class="soft">${words.subscriptions.empty}</p>`;
  return html`
    <${Facts} report=${report} view=${view} />
    <${Stock} series=${stock} />
    <${Flow} report=${report} />
  `;
}

/** @param {{ report: KpiReport, view: View }} props */
function Facts({ report, view }) {
  const paid = seriesOf(report, STOCK[0] ?? "");
  const active = figureOf(paid, kpiOf(report, paid));
  const period = text(words.subscriptions.days, { n: view.days });
  const total = (/** @type {string} */ name) => seriesOf(report, name).total.value;
  const came = CAME.map(total);
  const w = words.subscriptions;
  return html`
    <dl class="facts">
      <div>
        <dt>${text(w.active, { date: active.end ? day(active.end) : UNKNOWN })}</dt>
        <dd>${short(active.value)} <small>${view.compares && html`<${Change} change=${active.change} unit="count" />`}</small></dd>
      </div>
      <div><dt>${w.came}</dt><dd>${came.includes(null) ? UNKNOWN : short(came.reduce((sum, each) => (sum ?? 0) + (each ?? 0), 0))} <small>${period}</small></dd></div>
      <div><dt>${w.went}</dt><dd>${short(total(WENT))} <small>${period}</small></dd></div>
      <div><dt>${w.converted}</dt><dd>${share(total(FURTHER))} <small>${w.ofTrials}</small></dd></div>
    </dl>
  `;
}

/** Only final Dates: a preliminary one would look like a decrease. @param {{ series: Series[] }} props */
function Stock({ series }) {
  const [element, width] = useWidth();
  const last = Math.min(...series.map((each) => each.points.findLastIndex((point) => point.is_final)));
  const dates = series[0]?.points.slice(0, last + 1).map((point) => point.day) ?? [];
  const layers = series.map((each, index) => ({
    name: words.subscriptions.layers[index] ?? "",
    values: each.points.slice(0, last + 1).map((point) => (point.is_final ? point.value : null)),
  }));
  const spoken = (/** @type {number} */ index) =>
    `${weekday(dates[index] ?? "")}: ${layers.map((layer) => `${layer.name} ${whole(layer.values[index])}`).join(", ")}`;
  const [, reader] = useReader(plain({ count: dates.length, label: words.subscriptions.stock, spoken, width }));
  return html`
    <div class="chart" ref=${element} ...${reader}>
      ${width > 0 && dates.length > 0 && html`<${StockChart} dates=${dates} layers=${layers} width=${width} height=${136} />`}
    </div>
  `;
}

/** @param {{ report: KpiReport }} props */
function Flow({ report }) {
  const [element, width] = useWidth();
  const id = useId();
  const came = CAME.map((name) => seriesOf(report, name).points);
  const flows = seriesOf(report, WENT).points.map((point, index) => {
    const parts = came.map((points) => points[index]?.value ?? null);
    const sum = parts.includes(null) ? null : parts.reduce((all, each) => (all ?? 0) + (each ?? 0), 0);
    return { date: point.day, came: sum, went: point.value, isFinal: point.is_final };
  });
  const spoken = (/** @type {number} */ index) => {
    const flow = flows[index];
    if (!flow) return "";
    const open = flow.isFinal ? "" : `, ${words.chart.notFinal}`;
    const net = flow.came === null || flow.went === null ? UNKNOWN : signed(flow.came - flow.went);
    return `${weekday(flow.date)}${open}: ${text(words.subscriptions.flowOf, { came: whole(flow.came), went: whole(flow.went), net })}`;
  };
  const [, reader] = useReader(plain({ count: flows.length, label: words.subscriptions.flow, spoken, width }));
  return html`
    <div class="chart" ref=${element} ...${reader}>
      ${width > 0 && flows.length > 0 && html`<${FlowChart} flows=${flows} width=${width} height=${104} id=${`flow-${id}`} />`}
    </div>
  `;
}

const EDGES = { left: 50, right: 112 };

/**
 * A reader over a drawing with the same edges; its tip shows the spoken text.
 * @param {{ count: number, label: string, spoken: (index: number) => string, width: number }} options
 */
function plain({ count, label, spoken, width }) {
  const step = (width - EDGES.left - EDGES.right) / Math.max(1, count - 1);
  return {
    count,
    label,
    spoken,
    tip: spoken,
    placeOf: (/** @type {number} */ index, /** @type {HTMLElement} */ chart) => {
      const box = chart.getBoundingClientRect();
      return new DOMRect(box.left + EDGES.left + index * step, box.top + 8, 2, 1);
    },
    under: (/** @type {MouseEvent} */ event, /** @type {HTMLElement} */ chart) => {
      const at = Math.round((event.clientX - chart.getBoundingClientRect().left - EDGES.left) / step);
      return Math.max(0, Math.min(count - 1, at));
    },
  };
}
