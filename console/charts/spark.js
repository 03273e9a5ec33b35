/** A line of a word's size: final Dates are solid, others dotted; missing values are gaps. */

import { html } from "../parts/html.js";
import { pathOf, px } from "./scale.js";

/**
 * @param {object} props
 * @param {(number | null)[]} props.values
 * @param {boolean[]} [props.isFinal] all of them without
 * @param {number} [props.width]
 * @param {number} [props.height]
 */
export function Spark({ values, isFinal = values.map(() => true), width = 104, height = 24 }) {
  const size = { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" };
  const known = values.filter((value) => value !== null);
  if (!known.length) {
    return html`<svg ...${size}><line class="spark-line empty" x1="0" x2=${width} y1=${height - 3} y2=${height - 3} /></svg>`;
  }
  const high = Math.max(...known);
  const low = Math.min(...known, high * 0.7);
  const x = (/** @type {number} */ index) => 1 + (index * (width - 5)) / Math.max(1, values.length - 1);
  const y = (/** @type {number} */ value) => 3 + (height - 6) * (1 - (value - low) / (high - low || 1));
  const solid = (/** @type {number} */ index) => Boolean(isFinal[index] && isFinal[index + 1]);
  const end = values.findLastIndex((value, index) => value !== null && isFinal[index]);
  return html`
    <svg ...${size} preserveAspectRatio="none">
      <path class="spark-line" d=${pathOf(values, x, y, solid)} />
      <path class="spark-line open" d=${pathOf(values, x, y, (index) => !solid(index))} />
      ${end >= 0 && html`<circle class="spark-end" cx=${px(x(end))} cy=${px(y(values[end] ?? 0))} r="1.9" />`}
    </svg>
  `;
}
