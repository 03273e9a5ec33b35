/** Hatching marks values that Apple has not completed. Each drawing has its own pattern, named after the drawing. */

import { html } from "../parts/html.js";

/** @param {{ id: string }} props */
export function Hatch({ id }) {
  return html`
    <defs>
      <pattern id=${id} width="6" height="6" patternTransform="rotate(45)" patternUnits="userSpaceOnUse">
        <line class="chart-hatch" x1="0" y1="0" x2="0" y2="6" />
      </pattern>
    </defs>
  `;
}
