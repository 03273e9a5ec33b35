/** The stock on each Date, in layers of one hue with their names at the end. A stock is never summed over Dates. */

import { html } from "../parts/html.js";
import { day } from "../words/dates.js";
import { short } from "../words/numbers.js";
import { px, scaleOf, stretches } from "./scale.js";

const MARGIN = { left: 50, right: 112, top: 8, bottom: 22 };
const LINE_OF_TEXT = 13;

/** @typedef {{ name: string, values: (number | null)[] }} Layer */

/**
 * @param {object} props
 * @param {string[]} props.dates
 * @param {Layer[]} props.layers from below
 * @param {number} props.width
 * @param {number} props.height
 */
export function StockChart({ dates, layers, width, height }) {
  const last = dates.length - 1;
  const totals = dates.map((_, index) => sumAt(layers, index));
  const scale = scaleOf(totals, [3, 2, 4]);
  const right = width - MARGIN.right;
  const x = (/** @type {number} */ index) => MARGIN.left + (index * (right - MARGIN.left)) / Math.max(1, last);
  const y = (/** @type {number} */ value) =>
    MARGIN.top + (height - MARGIN.top - MARGIN.bottom) * (1 - value / (scale.high || 1));
  const known = stretches(dates.length, (index) => totals[index] !== null);
  return html`
    <svg class="chart-drawing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
      ${scale.lines.map(
        (value) => html`
          <line class="chart-grid" x1=${MARGIN.left} x2=${right} y1=${px(y(value))} y2=${px(y(value))} />
          <text x=${MARGIN.left - 8} y=${px(y(value) + 4)} text-anchor="end">${short(value)}</text>
        `,
      )}
      ${layers.map((_, layer) => html`<path class=${`chart-layer of-${layer}`} d=${outline(layers, layer, known, x, y)} />`)}
      ${labels(layers, y, right)}
      <text x=${MARGIN.left} y=${height - 5}>${day(dates[0] ?? "")}</text>
      <text x=${right} y=${height - 5} text-anchor="end">${day(dates[last] ?? "")}</text>
    </svg>
  `;
}

/** @param {Layer[]} layers @param {number} index @returns {number | null} */
function sumAt(layers, index) {
  const values = layers.map((layer) => layer.values[index] ?? null);
  return values.includes(null) ? null : values.reduce((sum, value) => (sum ?? 0) + (value ?? 0), 0);
}

/**
 * @param {Layer[]} layers
 * @param {number} layer
 * @param {[number, number][]} known
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 */
function outline(layers, layer, known, x, y) {
  const edge = (/** @type {number} */ index, /** @type {number} */ count) =>
    `${px(x(index))} ${px(y(sumAt(layers.slice(0, count), index) ?? 0))}`;
  const shapes = known.map(([first, last]) => {
    const places = Array.from({ length: last - first + 1 }, (_, step) => first + step);
    const above = places.map((index) => edge(index, layer + 1));
    const below = places.reverse().map((index) => edge(index, layer));
    return `M${above.join("L")}L${below.join("L")}Z`;
  });
  return shapes.join("");
}

/**
 * Each name beside its layer, moved up if two would overlap.
 * @param {Layer[]} layers @param {(value: number) => number} y @param {number} right
 */
function labels(layers, y, right) {
  let base = 0;
  let lowest = Number.POSITIVE_INFINITY;
  return layers.map(({ name, values }) => {
    const value = values.findLast((each) => each !== null) ?? 0;
    const at = Math.min(y(base + value / 2) + 4, lowest - LINE_OF_TEXT);
    base += value;
    lowest = at;
    return html`
      <text class="chart-label" x=${right + 8} y=${px(at)}>
        ${name} <tspan class="chart-label-number">${short(value)}</tspan>
      </text>
    `;
  });
}
