/**
 * The main series of a page, one value a Date.
 *
 *   final           a drawn line over a pale area
 *   not final       dotted, on hatching
 *   missing         a gap with its letter, never zero
 *   restated        a diamond with a stem to the previous value
 *   a release       a flag with its version
 */

import { html } from "../parts/html.js";
import { familyOf, letterOf } from "../parts/verdict.js";
import { day } from "../words/dates.js";
import { words } from "../words/en.js";
import { Hatch } from "./hatch.js";
import { namedPlaces, pathOf, px, scaleOf, stretches } from "./scale.js";

/** @typedef {import("../api/answers.js").ReportedPoint} Point */

/**
 * @typedef {object} Series
 * @property {Point[]} points
 * @property {(number | null)[] | null} before the same Dates one period earlier
 * @property {Release[]} releases
 * @property {(value: number | null) => string} shown
 */

/** @typedef {{ date: string, name: string, told: string }} Release What the flag of a day says, short and whole. */

/** @typedef {{ x: (index: number) => number, y: (value: number) => number, right: number, top: number, bottom: number }} Frame */

const MARGIN = { left: 50, right: 12, top: 30, bottom: 24 };
const SILENT = ["not due"];

/** The positions of the Dates in a drawing of this width. @param {number} count @param {number} width */
export function placesOf(count, width) {
  const room = width - MARGIN.left - MARGIN.right;
  return (/** @type {number} */ index) =>
    count < 2 ? MARGIN.left + room / 2 : MARGIN.left + (index * room) / (count - 1);
}

/**
 * The Date nearest to a position in the drawing.
 * @param {number} left pixels from the drawing's edge
 * @param {number} count
 * @param {number} width
 */
export function nearest(left, count, width) {
  const room = width - MARGIN.left - MARGIN.right;
  const index = Math.round(((left - MARGIN.left) / room) * (count - 1));
  return Math.max(0, Math.min(count - 1, count < 2 ? 0 : index));
}

/**
 * @param {object} props
 * @param {Series} props.series
 * @param {number} props.width
 * @param {number} props.height
 * @param {number | null} props.cursor
 * @param {string} props.id unique on the page
 */
export function LineChart({ series, width, height, cursor, id }) {
  const { points, before, releases, shown } = series;
  const values = points.map((point) => point.value);
  const formers = points.map((point) => point.restated_from);
  const scale = scaleOf([...values, ...(before ?? []), ...formers]);
  const top = MARGIN.top;
  const bottom = height - MARGIN.bottom;
  /** @type {Frame} */
  const frame = {
    x: placesOf(points.length, width),
    y: (value) => top + (bottom - top) * (1 - (value - scale.low) / (scale.high - scale.low)),
    right: width - MARGIN.right,
    top,
    bottom,
  };
  return html`
    <svg class="chart-drawing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
      <${Hatch} id=${id} />
      ${openStretches(points, frame, id)} ${gaps(points, frame)} ${gridLines(scale.lines, shown, frame)}
      ${dateNames(points, frame, width, height)} ${lines(points, values, before, frame, frame.y(Math.max(0, scale.low)))}
      ${flags(points, releases, frame)} ${cursor !== null && cursorAt(cursor, values, frame)} ${diamonds(points, frame)}
    </svg>
  `;
}

/** @param {number[]} lines @param {(value: number | null) => string} shown @param {Frame} frame */
function gridLines(lines, shown, { y, right }) {
  return lines.map(
    (value) => html`
      <line class=${value === 0 ? "chart-base" : "chart-grid"} x1=${MARGIN.left} x2=${right} y1=${px(y(value))} y2=${px(y(value))} />
      <text x=${MARGIN.left - 8} y=${px(y(value) + 4)} text-anchor="end">${shown(value)}</text>
    `,
  );
}

/** @param {Point[]} points @param {Frame} frame @param {number} width @param {number} height */
function dateNames(points, { x }, width, height) {
  const last = points.length - 1;
  return namedPlaces(points.length, width - MARGIN.left)
    .filter((index) => x(index) > MARGIN.left + 16 || last === 0)
    .map(
      (index) => html`
        <text x=${px(x(index))} y=${height - 6} text-anchor=${index === last && last ? "end" : "middle"}>
          ${day(points[index]?.day ?? "")}
        </text>
      `,
    );
}

/** @param {Point[]} points @param {Frame} frame @param {string} id */
function openStretches(points, { x, right, top, bottom }, id) {
  const isOpen = (/** @type {number} */ index) => points[index]?.state === "preliminary";
  return stretches(points.length, isOpen).map(([first, last]) => {
    const from = first ? x(first - 1) : x(first);
    const to = Math.max(x(last), from + 2);
    const isWide = to - from > 52 || to > right - 4;
    return html`
      <rect x=${px(from)} y=${top} width=${px(to - from)} height=${bottom - top} fill=${`url(#${id})`} />
      ${isWide && html`<text class="chart-open-word" x=${px(to)} y=${top + 12} text-anchor="end">${words.chart.notFinal}</text>`}
    `;
  });
}

/** @param {Point[]} points @param {Frame} frame */
function gaps(points, { x, top, bottom }) {
  const isGap = (/** @type {Point} */ point) =>
    point.value === null && !SILENT.includes(point.state) && !point.is_final;
  const half = Math.min(9, Math.max(3, (x(1) - x(0)) / 2));
  return points.map((point, index) => {
    if (!isGap(point)) return null;
    const family = familyOf(point.state);
    return html`
      <rect class=${`chart-gap ${family}`} x=${px(x(index) - half)} y=${top} width=${px(half * 2)} height=${bottom - top} />
      <text class=${`chart-gap-letter ${family}`} x=${px(x(index))} y=${bottom - 8} text-anchor="middle">
        ${letterOf(point.state)}
      </text>
    `;
  });
}

/**
 * @param {Point[]} points
 * @param {(number | null)[]} values
 * @param {(number | null)[] | null} before
 * @param {Frame} frame
 * @param {number} base
 */
function lines(points, values, before, { x, y }, base) {
  const isSolid = (/** @type {number} */ index) => Boolean(points[index]?.is_final && points[index + 1]?.is_final);
  const solid = stretches(points.length, (index) => points[index]?.is_final === true && values[index] !== null);
  const areas = solid.map(([first, last]) => {
    const over = values.slice(first, last + 1).map((value, index) => `${px(x(first + index))} ${px(y(value ?? 0))}`);
    return `M${over.join("L")}L${px(x(last))} ${px(base)}L${px(x(first))} ${px(base)}Z`;
  });
  return html`
    <path class="chart-area" d=${areas.join("")} />
    ${before && html`<path class="chart-line before" d=${pathOf(before, x, y)} />`}
    <path class="chart-line" d=${pathOf(values, x, y, isSolid)} />
    <path class="chart-line open" d=${pathOf(values, x, y, (index) => !isSolid(index))} />
    ${lonePoints(points, { x, y })}
  `;
}

/** A value between two gaps is drawn as a dot. @param {Point[]} points @param {Pick<Frame, "x" | "y">} frame */
function lonePoints(points, { x, y }) {
  return points.map((point, index) => {
    const isAlone = (points[index - 1]?.value ?? null) === null && (points[index + 1]?.value ?? null) === null;
    if (point.value === null || !isAlone) return null;
    const kind = point.is_final ? "chart-lone" : "chart-lone open";
    return html`<circle class=${kind} cx=${px(x(index))} cy=${px(y(point.value))} r="2.5" />`;
  });
}

/** @param {Point[]} points @param {Release[]} releases @param {Frame} frame */
function flags(points, releases, { x, top, bottom }) {
  const flagged = releases
    .map(({ date, name }) => ({ name, index: points.findIndex((point) => point.day === date) }))
    .filter(({ index }) => index >= 0)
    .map(({ name, index }) => ({ name, at: px(x(index)) }))
    .sort((one, other) => one.at - other.at);
  return flagged.map(({ name, at }, number) => {
    const next = flagged[number + 1]?.at ?? Number.POSITIVE_INFINITY;
    return html`
      <line class="chart-release" x1=${at} x2=${at} y1=${top - 10} y2=${bottom} />
      <path class="chart-flag" d=${`M${at} ${top - 19}h6l-2.2 3.5 2.2 3.5h-6z`} />
      <text class="chart-release-name" x=${at + 10} y=${top - 11.5}>${fitted(name, next - at - 14)}</text>
    `;
  });
}

/** As much of a name as fits before the next flag; nothing of less than three letters. @param {string} name @param {number} room */
function fitted(name, room) {
  const letters = Math.floor(room / 6.5);
  if (letters >= name.length) return name;
  return letters > 3 ? `${name.slice(0, letters - 1)}…` : "";
}

/** @param {number} index @param {(number | null)[]} values @param {Frame} frame */
function cursorAt(index, values, { x, y, top, bottom }) {
  const value = values[index] ?? null;
  return html`
    <line class="chart-cursor" x1=${px(x(index))} x2=${px(x(index))} y1=${top} y2=${bottom} />
    ${value !== null && html`<circle class="chart-point" cx=${px(x(index))} cy=${px(y(value))} r="4" />`}
  `;
}

/** @param {Point[]} points @param {Frame} frame */
function diamonds(points, { x, y }) {
  return points.map((point, index) => {
    if (!point.restated_on || point.value === null) return null;
    const at = px(x(index));
    const now = px(y(point.value));
    const was = point.restated_from === null ? null : px(y(point.restated_from));
    return html`
      ${
        was !== null &&
        html`
          <line class="chart-restated-stem" x1=${at} x2=${at} y1=${was} y2=${now} />
          <line class="chart-restated-stem" x1=${at - 4} x2=${at + 4} y1=${was} y2=${was} />
        `
      }
      <path
        class="chart-restated"
        d=${`M${at} ${now - 5.5}L${at + 5.5} ${now}L${at} ${now + 5.5}L${at - 5.5} ${now}Z`}
      />
    `;
  });
}
