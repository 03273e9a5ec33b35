/** A change since the period before. Shape and weight show growth, never colour. */

import { changed } from "../words/numbers.js";
import { html } from "./html.js";

/** The unit of a change: a share changes by points, everything else by per cent. @param {string} unit @returns {"pp" | "%"} */
export function changeUnit(unit) {
  return unit === "share" ? "pp" : "%";
}

/** @param {{ change: number | null, unit: string }} props */
export function Change({ change, unit }) {
  const { text, isBig } = changed(change, changeUnit(unit));
  return html`<span class=${`change ${isBig ? "big" : ""}`}>${text}</span>`;
}
