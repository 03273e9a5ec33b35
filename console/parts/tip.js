/** Draws the page's one tip above the explained element, or below it if there is no room. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { tip } from "../state/tip.js";
import { html } from "./html.js";

const EDGE = 8;
const DISTANCE = 10;

export function TipLayer() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = tip.value;
  useLayoutEffect(() => {
    if (element.current && shown) place(element.current, shown.at);
  });
  return shown && html`<div class="tip" role="tooltip" ref=${element}>${shown.says}</div>`;
}

/** @param {HTMLElement} element @param {DOMRect} at */
function place(element, at) {
  const { width, height } = element.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(innerWidth - width - EDGE, at.left + at.width / 2 - width / 2));
  const above = at.top - height - DISTANCE;
  element.style.left = `${left}px`;
  element.style.top = `${above < EDGE / 2 ? at.bottom + DISTANCE : above}px`;
}
