/** What was added and removed on each Date: added above the line, removed below it. */

import { html } from "../parts/html.js";
import { day } from "../words/dates.js";
import { words } from "../words/en.js";
import { short } from "../words/numbers.js";
import { Hatch } from "./hatch.js";
import { px } from "./scale.js";

const MARGIN = { left: 50, right: 112, top: 6, bottom: 20 };

/** @typedef {{ date: string, came: number | null, went: number | null, isFinal: boolean }} Flow */

/**
 * @param {object} props
 * @param {Flow[]} props.flows
 * @param {number} props.width
 * @param {number} props.height
 * @param {string} props.id
 */
export function FlowChart({ flows, width, height, id }) {
  const most = Math.max(1, ...flows.map((flow) => flow.came ?? 0));
  const least = Math.max(1, ...flows.map((flow) => flow.went ?? 0));
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const unit = (bottom - MARGIN.top) / (most + least);
  const middle = MARGIN.top + most * unit;
  const step = (right - MARGIN.left) / flows.length;
  const x = (/** @type {number} */ index) => MARGIN.left + index * step;
  return html`
    <svg class="chart-drawing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
      <${Hatch} id=${id} />
      <text x=${MARGIN.left - 8} y=${MARGIN.top + 10} text-anchor="end">+${short(most)}</text>
      <text x=${MARGIN.left - 8} y=${bottom} text-anchor="end">−${short(least)}</text>
      ${flows.map((flow, index) => bars(flow, x(index), step, middle, unit, id))}
      <line class="chart-base" x1=${MARGIN.left} x2=${right} y1=${px(middle)} y2=${px(middle)} />
      <text class="chart-label" x=${right + 8} y=${px(middle - 8)}>${words.chart.came}</text>
      <text class="chart-label" x=${right + 8} y=${px(middle + 18)}>${words.chart.went}</text>
      <text x=${MARGIN.left} y=${height - 5}>${day(flows[0]?.date ?? "")}</text>
      <text x=${right} y=${height - 5} text-anchor="end">${day(flows.at(-1)?.date ?? "")}</text>
    </svg>
  `;
}

/** @param {Flow} flow @param {number} left @param {number} step @param {number} middle @param {number} unit @param {string} id */
function bars(flow, left, step, middle, unit, id) {
  const size = { x: px(left + 1), width: px(Math.max(1, step - 2)) };
  const paint = flow.isFinal ? {} : { fill: `url(#${id})`, class: "" };
  const up = (flow.came ?? 0) * unit;
  const down = (flow.went ?? 0) * unit;
  return html`
    <rect class="chart-bar in" ...${paint} ...${size} y=${px(middle - up)} height=${px(Math.max(0, up - 1))} />
    <rect class="chart-bar out" ...${paint} ...${size} y=${px(middle + 1)} height=${px(down)} />
  `;
}
