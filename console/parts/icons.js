/** The console's few icons. All are decorative: a word is next to them or in the name of their button. */

import { html } from "./html.js";

/** @param {number} size @param {string} box */
const drawn = (size, box) => ({ width: size, height: size, viewBox: `0 0 ${box} ${box}`, "aria-hidden": "true" });
const stroked = (/** @type {number} */ width) => ({ fill: "none", stroke: "currentColor", "stroke-width": width });

export const BrandIcon = () => html`
  <svg ...${drawn(18, "18")} ...${stroked(1.6)}>
    <rect x="1.8" y="1.8" width="14.4" height="14.4" rx="4" /><path d="M5 12V9.5M9 12V6M13 12V8" />
  </svg>
`;

export const SearchIcon = () => html`
  <svg ...${drawn(14, "14")} ...${stroked(1.5)}><circle cx="6" cy="6" r="4.2" /><path d="M9.2 9.2 13 13" /></svg>
`;

export const ThemeIcon = () => html`
  <svg ...${drawn(15, "15")}>
    <circle cx="7.5" cy="7.5" r="5.6" fill="none" stroke="currentColor" stroke-width="1.4" />
    <path d="M7.5 1.9a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" />
  </svg>
`;

export const CodeIcon = () => html`
  <svg ...${drawn(14, "14")} ...${stroked(1.5)}>
    <path d="M4.5 3.5 1.2 7l3.3 3.5M9.5 3.5 12.8 7 9.5 10.5" />
  </svg>
`;

/** A dot, a ring or a square: shape and colour both show the state. @param {{ state: string }} props */
export function LiveIcon({ state }) {
  const forms = {
    live: html`<circle cx="5" cy="5" r="4" fill="currentColor" />`,
    off: html`<rect x="1" y="1" width="8" height="8" fill="currentColor" />`,
  };
  const ring = html`<circle cx="5" cy="5" r="3.6" ...${stroked(1.8)} stroke-dasharray=${state === "asking" ? "none" : "14 9"} />`;
  return html`<svg ...${drawn(10, "10")}>${/** @type {Record<string, any>} */ (forms)[state] ?? ring}</svg>`;
}
