/**
 * Reads one position of a row or a chart at a time, by mouse and by arrow keys, and shows its text in the tip.
 *
 * For a screen reader it is a slider: the arrow keys reach it, and each place is read out as its value.
 */

import { useState } from "preact/hooks";
import { hideTip, showTipAt } from "../state/tip.js";

const STEPS = /** @type {Record<string, (at: number, last: number) => number>} */ ({
  ArrowRight: (at) => at + 1,
  ArrowUp: (at) => at + 1,
  ArrowLeft: (at) => at - 1,
  ArrowDown: (at) => at - 1,
  PageUp: (at) => at + 7,
  PageDown: (at) => at - 7,
  Home: () => 0,
  End: (_, last) => last,
});

/**
 * @param {object} options
 * @param {number} options.count
 * @param {string} options.label
 * @param {(index: number) => string} options.spoken
 * @param {(index: number) => import("preact").ComponentChild} options.tip
 * @param {(index: number, element: HTMLElement) => DOMRect} options.placeOf
 * @param {(event: MouseEvent, element: HTMLElement) => number | null} options.under the place below the mouse
 * @returns {[number | null, Record<string, any>]} the place, and the properties of the element that reads it
 */
export function useReader({ count, label, spoken, tip, placeOf, under }) {
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const here = at === null ? null : Math.min(at, count - 1);

  /** @param {number | null} index @param {HTMLElement} element */
  const show = (index, element) => {
    setAt(index);
    if (index === null) hideTip();
    else showTipAt(placeOf(index, element), tip(index));
  };
  const element = (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.currentTarget);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key === "Escape") return show(null, element(event));
    const step = STEPS[event.key];
    if (!step || !count) return;
    event.preventDefault();
    const next = step(here ?? count, count - 1);
    show(Math.max(0, Math.min(count - 1, next)), element(event));
  };
  return [
    here,
    {
      role: "slider",
      tabIndex: 0,
      "aria-label": label,
      "aria-orientation": "horizontal",
      "aria-valuemin": 1,
      "aria-valuemax": Math.max(1, count),
      "aria-valuenow": (here ?? Math.max(0, count - 1)) + 1,
      "aria-valuetext": count ? spoken(here ?? count - 1) : "",
      onKeyDown,
      onMouseMove: (/** @type {MouseEvent} */ event) => show(under(event, element(event)), element(event)),
      onMouseLeave: (/** @type {MouseEvent} */ event) => show(null, element(event)),
      onBlur: (/** @type {FocusEvent} */ event) => show(null, element(event)),
    },
  ];
}
