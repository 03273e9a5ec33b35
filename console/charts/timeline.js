/** The timeline of a run: a row for each stage, hatched while it waited for Apple, dashed for future stages. */

import { html } from "../parts/html.js";
import { tipped } from "../state/tip.js";
import { axisDuration } from "../words/dates.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";
import { Hatch } from "./hatch.js";
import { px } from "./scale.js";

/** @typedef {{ from: number, to: number, kind: "work" | "wait" | "expected", says: string }} Stretch seconds since the start */
/** @typedef {{ name: string, stretches: Stretch[], took: string }} TimelineRow */

const ROW = 26;
const STEPS = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/**
 * @param {object} props
 * @param {TimelineRow[]} props.rows
 * @param {number} props.total seconds that the axis holds
 * @param {number | null} props.now seconds since the start; null when the run has ended
 * @param {number} props.width
 * @param {string} props.id
 */
export function Timeline({ rows, total, now, width, id }) {
  const left = width < 500 ? 66 : 84;
  const right = width - 82;
  const height = rows.length * ROW + 26;
  const x = (/** @type {number} */ seconds) => left + (seconds / Math.max(1, total)) * (right - left);
  return html`
    <svg class="chart-drawing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${said(rows)}>
      <${Hatch} id=${id} />
      ${ticks(total, right - left).map(
        (seconds) => html`
          <line class="chart-grid" x1=${px(x(seconds))} x2=${px(x(seconds))} y1="0" y2=${height - 22} />
          <text x=${px(x(seconds))} y=${height - 7} text-anchor="middle">${seconds ? axisDuration(seconds) : "0"}</text>
        `,
      )}
      ${rows.map(
        ({ name, stretches, took }, row) => html`
          <text class="chart-label" x="0" y=${row * ROW + 17}>${name}</text>
          ${stretches.map((stretch) => bar(stretch, row, x, id))}
          <text class="chart-label" x=${width} y=${row * ROW + 17} text-anchor="end">${took}</text>
        `,
      )}
      ${now !== null && html`<line class="chart-now" x1=${px(x(now))} x2=${px(x(now))} y1="0" y2=${height - 22} />`}
    </svg>
  `;
}

/** @param {Stretch} stretch @param {number} row @param {(seconds: number) => number} x @param {string} id */
function bar({ from, to, kind, says }, row, x, id) {
  const paint = kind === "wait" ? { fill: `url(#${id})` } : {};
  const kinds = { work: "chart-bar running", wait: "chart-bar waiting", expected: "chart-bar expected" };
  return html`
    <rect
      class=${kinds[kind]}
      style=${kind === "wait" ? { fill: `url(#${id})` } : undefined}
      ...${paint}
      x=${px(x(from))}
      y=${row * ROW + 5}
      width=${px(Math.max(2, x(to) - x(from)))}
      height="16"
      rx="2"
      ...${tipped(says)}
    />
  `;
}

/** @param {number} total @param {number} width */
function ticks(total, width) {
  const most = Math.max(2, Math.floor(width / 74));
  const step = STEPS.find((each) => total / each <= most) ?? 86_400;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}

/** @param {TimelineRow[]} rows */
function said(rows) {
  return text(words.run.timeSaid, { rows: rows.map(({ name, took }) => `${name} ${took}`).join(", ") });
}
