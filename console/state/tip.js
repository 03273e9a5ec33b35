/** The one tip of the page: its text and its element. */

import { signal } from "@preact/signals";

/**
 * @typedef {object} Tip
 * @property {import("preact").ComponentChild} says
 * @property {DOMRect} at what it explains
 */

export const tip = signal(/** @type {Tip | null} */ (null));

/**
 * @param {Element} element
 * @param {import("preact").ComponentChild} says
 */
export function showTip(element, says) {
  tip.value = { says, at: element.getBoundingClientRect() };
}

/** @param {DOMRect} at @param {import("preact").ComponentChild} says */
export function showTipAt(at, says) {
  tip.value = { says, at };
}

export function hideTip() {
  tip.value = null;
}

/**
 * Properties that show a tip while an element is hovered or focused.
 * @param {import("preact").ComponentChild} says
 */
export function tipped(says) {
  if (!says) return {};
  /** @param {Event} event */
  const show = (event) => showTip(/** @type {Element} */ (event.currentTarget), says);
  return { onMouseEnter: show, onMouseLeave: hideTip, onFocus: show, onBlur: hideTip };
}
