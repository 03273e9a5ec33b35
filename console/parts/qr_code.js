/** A QR code of the modules that the server sends: dark on white in both themes, because cameras need that. */

import { html } from "./html.js";

const QUIET = 2;

/** @param {{ rows: number[][], label: string }} props */
export function QrCode({ rows, label }) {
  const size = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) =>
    row.flatMap((module, x) => (module ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
  );
  return html`
    <div class="qr">
      <svg viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${label} shape-rendering="crispEdges">
        <path class="qr-modules" d=${dark.join("")} />
      </svg>
    </div>
  `;
}
