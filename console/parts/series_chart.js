/** The main chart with its reader: a Date at a time, by mouse and by arrow keys. */

import { useId } from "preact/hooks";
import { LineChart, nearest, placesOf } from "../charts/line.js";
import { plusDays, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { bounded, changed, exactIn } from "../words/numbers.js";
import { text } from "../words/say.js";
import { changeUnit } from "./change.js";
import { html } from "./html.js";
import { useReader } from "./reader.js";
import { sentenceOf } from "./verdict.js";
import { usePhone, useWidth } from "./width.js";

/** @typedef {import("../api/answers.js").ReportedKpi} Kpi */
/** @typedef {import("../api/answers.js").ReportedPoint} Point */
/** @typedef {import("../charts/line.js").Release} Release */

const TIP_AT = 44;

/**
 * @param {object} props
 * @param {Kpi} props.kpi
 * @param {string} props.title
 * @param {Point[]} props.points
 * @param {boolean} props.compares
 * @param {number} props.days how far back the period before is
 * @param {number} props.window days after which Apple calls a Date complete
 * @param {Release[]} props.releases
 * @param {(value: number | null) => string} props.shown
 */
export function SeriesChart({ kpi, title, points, compares, days, window, releases, shown }) {
  const [element, width] = useWidth();
  const isPhone = usePhone();
  const id = useId();
  const about = { kpi, title, compares, days, window, releases };
  const [here, reader] = useReader({
    count: points.length,
    label: text(words.chart.label, { title, n: points.length }),
    spoken: (index) => spokenOf(points[index], about),
    tip: (index) => tipOf(points[index], about),
    placeOf: (index, chart) => placeIn(chart, placesOf(points.length, width)(index)),
    under: (event, chart) => nearest(event.clientX - chart.getBoundingClientRect().left, points.length, width),
  });
  // next to a Date that still grows, the complete one before it would make it look like a decrease
  const before = compares ? points.map((point) => (point.state === "preliminary" ? null : point.previous)) : null;
  return html`
    <div class="chart" ref=${element} ...${reader}>
      ${
        width > 0 &&
        html`
          <${LineChart}
            series=${{ points, before, releases, shown }}
            width=${width}
            height=${isPhone ? 230 : 276}
            cursor=${here}
            id=${`hatch-${id}`}
          />
        `
      }
    </div>
  `;
}

/** @param {HTMLElement} chart @param {number} x */
function placeIn(chart, x) {
  const box = chart.getBoundingClientRect();
  return new DOMRect(box.left + x - 1, box.top + TIP_AT, 2, 1);
}

/** @typedef {{ kpi: Kpi, title: string, compares: boolean, days: number, window: number, releases: Release[] }} About */

/** The facts about a Date, one per line. @param {Point} point @param {About} about */
function factsOf(point, { kpi, title, compares, days, window, releases }) {
  const exact = exactIn(kpi.unit);
  const facts = [`${title}: ${bounded(exact(point.value), point.value === null ? "" : kpi.bound)}`];
  if (point.value === null) facts.push(point.reason || sentenceOf(point.state));
  if (compares && point.previous !== null) facts.push(comparison(point, kpi, days));
  if (point.apps_missing) facts.push(text(words.chart.appsMissing, { n: point.apps_missing }));
  if (point.state === "preliminary")
    facts.push(text(words.chart.finishes, { date: weekday(plusDays(point.day, window)) }));
  if (point.restated_on) facts.push(restatement(point, exact));
  const released = releases.filter((release) => release.date === point.day).map((release) => release.told);
  return released.length ? [...facts, text(words.chart.released, { name: released.join(", ") })] : facts;
}

/** @param {Point} point @param {Kpi} kpi @param {number} days */
function comparison(point, kpi, days) {
  const { value, previous } = point;
  const before = `${weekday(plusDays(point.day, -days))}: ${exactIn(kpi.unit)(previous)}`;
  if (value === null || previous === null || !point.is_final) return before;
  const isShare = kpi.unit === "share";
  if (!isShare && !previous) return before;
  return `${before}, ${changed(isShare ? value - previous : value / previous - 1, changeUnit(kpi.unit)).text}`;
}

/** @param {Point} point @param {(value: number | null) => string} exact */
function restatement(point, exact) {
  const date = weekday(point.restated_on ?? "");
  if (point.restated_from === null) return [text(words.chart.restatedOn, { date }), ...sumsOf(point)].join(" ");
  return text(words.chart.restated, { was: exact(point.restated_from), is: exact(point.value), date });
}

/** The totals behind a value whose former one is not known. @param {Point} point */
function sumsOf(point) {
  const exact = exactIn("count");
  return point.restated_sums.map(({ table_name: table, measure, before, now }) =>
    text(words.chart.restatedSum, { table, measure, was: exact(before), is: exact(now) }),
  );
}

/** @param {Point | undefined} point @param {About} about */
function spokenOf(point, about) {
  if (!point) return "";
  const open = point.state === "preliminary" ? `, ${words.chart.notFinal}` : "";
  return `${weekday(point.day)}${open}. ${factsOf(point, about).join(". ")}`;
}

/** @param {Point | undefined} point @param {About} about */
function tipOf(point, about) {
  if (!point) return "";
  const [first = "", ...rest] = factsOf(point, about);
  const open = point.state === "preliminary" ? ` · ${words.chart.notFinal}` : "";
  return html`
    <p><b>${weekday(point.day)}</b>${open}</p>
    <p><b>${first}</b></p>
    ${rest.map((fact) => html`<p class="soft">${fact}</p>`)}
  `;
}
