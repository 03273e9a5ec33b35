/** Names of dimensions and their values: Apple's words, and territories in the reader's language. */

import { words } from "./en.js";

/** @param {string} dimension */
export function dimensionName(dimension) {
  return /** @type {Record<string, string>} */ (words.dimensions)[dimension] ?? dimension.replaceAll("_", " ");
}

/** @type {Intl.DisplayNames | undefined} */
let regions;

/**
 * @param {string} dimension
 * @param {string | null} value null where Apple gives none
 */
export function partName(dimension, value) {
  if (value === null || value === "") return words.parts.none;
  if (dimension !== "territory" || !/^[A-Z]{2}$/.test(value)) return value;
  regions ??= new Intl.DisplayNames(["en"], { type: "region" });
  return regions.of(value) ?? value;
}
