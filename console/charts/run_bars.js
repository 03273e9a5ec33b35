/** The last runs, one bar each: the height is the duration, hatching is waiting, the letter is the worst verdict. */

import { html } from "../parts/html.js";
import { familyOf, letterOf } from "../parts/verdict.js";
import { tipped } from "../state/tip.js";
import { axisDuration } from "../words/dates.js";
import { Hatch } from "./hatch.js";
import { namedPlaces, px, scaleOf } from "./scale.js";

/**
 * @typedef {object} RunBar
 * @property {string} id
 * @property {string} date named on the axis
 * @property {number} seconds
 * @property {number} waited seconds of it
 * @property {"running" | "failed" | "well"} state
 * @property {string} verdict the worst, of a failed run
 * @property {import("preact").ComponentChild} says
 */

const MARGIN = { left: 52, right: 4, top: 18, bottom: 22 };

/**
 * @param {object} props
 * @param {RunBar[]} props.bars oldest first
 * @param {string} props.label
 * @param {number} props.width
 * @param {number} props.height
 * @param {string} props.id
 * @param {(run: string) => void} props.onOpen
 */
export function RunBars({ bars, label, width, height, id, onOpen }) {
  const scale = scaleOf(
    bars.map((bar) => bar.seconds / 60),
    [3, 4, 2],
  );
  const bottom = height - MARGIN.bottom;
  const step = Math.min(48, (width - MARGIN.left - MARGIN.right) / Math.max(1, bars.length));
  const first = width - MARGIN.right - step * bars.length;
  const y = (/** @type {number} */ minutes) => bottom - ((bottom - MARGIN.top) * minutes) / scale.high;
  const named = namedPlaces(bars.length, width - MARGIN.left);
  return html`
    <svg class="chart-drawing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${label}>
      <${Hatch} id=${id} />
      ${scale.lines.map(
        (minutes) => html`
          <line class="chart-grid" x1=${MARGIN.left} x2=${width - MARGIN.right} y1=${px(y(minutes))} y2=${px(y(minutes))} />
          <text x=${MARGIN.left - 8} y=${px(y(minutes) + 4)} text-anchor="end">${minutes ? axisDuration(minutes * 60) : "0"}</text>
        `,
      )}
      ${bars.map((bar, index) => column(bar, first + index * step, step, y, id, onOpen))}
      ${named.map(
        (index) => html`
          <text
            x=${px(first + index * step + (index === bars.length - 1 ? step - 1 : step / 2))}
            y=${height - 5}
            text-anchor=${index === bars.length - 1 ? "end" : "middle"}
          >${bars[index]?.date}</text>
        `,
      )}
    </svg>
  `;
}

/**
 * @param {RunBar} bar
 * @param {number} left
 * @param {number} step
 * @param {(minutes: number) => number} y
 * @param {string} id
 * @param {(run: string) => void} onOpen
 */
function column(bar, left, step, y, id, onOpen) {
  const size = { x: px(left + 1.5), width: px(Math.max(2, step - 3)) };
  const top = y(bar.seconds / 60);
  const worked = y((bar.seconds - bar.waited) / 60);
  const kind = { running: "running", failed: "bad", well: "" }[bar.state];
  return html`
    <g class="column" ...${tipped(bar.says)} onClick=${() => onOpen(bar.id)}>
      <rect x=${px(left)} y=${MARGIN.top - 12} width=${px(step)} height=${px(y(0) - MARGIN.top + 12)} fill="transparent" />
      <rect class=${`chart-bar ${kind}`} ...${size} y=${px(worked)} height=${px(Math.max(1, y(0) - worked))} rx="2" />
      ${
        bar.waited > 0 &&
        html`<rect class="chart-bar waiting" style=${{ fill: `url(#${id})` }} ...${size} y=${px(top)} height=${px(worked - top)} />`
      }
      ${letter(bar, left + step / 2, top - 5)}
    </g>
  `;
}

/** @param {RunBar} bar @param {number} x @param {number} y */
function letter(bar, x, y) {
  if (bar.state === "well") return null;
  const kind = bar.state === "failed" ? familyOf(bar.verdict) : "";
  const sign = bar.state === "failed" ? letterOf(bar.verdict) : "▶";
  return html`<text class=${`chart-letter ${kind}`} x=${px(x)} y=${px(y)} text-anchor="middle">${sign}</text>`;
}
