/** Formats of numbers: the reader's own separators, a real minus sign, units separate. */

import { words } from "./en.js";

const SPACE = "\u00a0";
const MINUS = "\u2212";
export const UNKNOWN = "–";

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * @param {number} value
 * @param {number} digits after the separator
 * @param {number} [least] fewer digits where they are zeros
 */
function plain(value, digits, least = digits) {
  const key = `${least} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(navigatorLanguage(), {
      minimumFractionDigits: least,
      maximumFractionDigits: digits,
    });
    formats.set(key, format);
  }
  return format.format(Object.is(value, -0) ? 0 : value).replace(/^-/, MINUS);
}

function navigatorLanguage() {
  return globalThis.navigator?.language || "en-GB";
}

/**
 * 11,299
 * @param {number | null | undefined} value
 */
export function whole(value) {
  return value == null ? UNKNOWN : plain(Math.round(value), 0);
}

/**
 * 3.1
 * @param {number | null | undefined} value
 * @param {number} digits
 */
export function decimal(value, digits = 1) {
  return value == null ? UNKNOWN : plain(value, digits);
}

/**
 * 99,999 in full, then 341 k, 1.20 M, 12.4 M.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value == null) return UNKNOWN;
  const size = Math.abs(value);
  if (size < 99_999.5) return whole(value);
  if (size < 999_500) return `${plain(value / 1e3, 0)}${SPACE}k`;
  if (size < 9_995_000) return `${plain(value / 1e6, 2)}${SPACE}M`;
  if (size < 999_500_000) return `${plain(value / 1e6, 1)}${SPACE}M`;
  return `${plain(value / 1e9, 2)}${SPACE}bn`;
}

/**
 * 3.2 %; shares below one per cent have two digits.
 * @param {number | null | undefined} value
 */
export function share(value) {
  if (value == null) return UNKNOWN;
  const percent = value * 100;
  return `${plain(percent, percent !== 0 && Math.abs(percent) < 1 ? 2 : 1)}${SPACE}%`;
}

/**
 * Money in US dollars without the sign, which is in the heading: cents below a thousand.
 * @param {number | null | undefined} value
 */
export function money(value) {
  if (value == null) return UNKNOWN;
  return Math.abs(value) < 1000 && !Number.isInteger(value) ? plain(value, 2) : short(value);
}

/**
 * A price: 0.41, or 0.001 if it is less than a cent.
 * @param {number} value
 */
export function dollars(value) {
  return `US$${SPACE}${value !== 0 && Math.abs(value) < 0.01 ? plain(value, 4, 3) : plain(value, 2)}`;
}

/** @typedef {"count" | "USD" | "seconds" | "milliseconds" | "share" | "quotient"} Unit */

/** @type {Record<string, (value: number | null | undefined) => string>} */
const BY_UNIT = {
  count: short,
  USD: money,
  share,
  quotient: (value) => decimal(value, value != null && Math.abs(value) < 1 ? 2 : 1),
  seconds: (value) => (value == null ? UNKNOWN : `${plain(value, 0)}${SPACE}s`),
  milliseconds: (value) => (value == null ? UNKNOWN : `${plain(value / 1000, 1)}${SPACE}s`),
};

/** @type {Record<string, (value: number | null | undefined) => string>} */
const EXACT_BY_UNIT = {
  ...BY_UNIT,
  count: whole,
  USD: (value) => decimal(value, 2),
  share: (value) => (value == null ? UNKNOWN : `${plain(value * 100, 2)}${SPACE}%`),
  quotient: (value) => decimal(value, 2),
};

/**
 * The short format of a unit's values, for tiles, axes and lists.
 * @param {string} unit
 */
export function shownIn(unit) {
  return BY_UNIT[unit] ?? short;
}

/**
 * The full format, for tips and tables.
 * @param {string} unit
 */
export function exactIn(unit) {
  return EXACT_BY_UNIT[unit] ?? whole;
}

const BIG_CHANGE = { "%": 20, pp: 1 };

/**
 * A change since the period before: ▲ 12.3 %, ▼ 0.17 pp. Shape and weight show growth, never colour.
 * @param {number | null | undefined} change a share of the former value, or a difference of two shares
 * @param {"%" | "pp"} unit
 * @returns {{ text: string, isBig: boolean }}
 */
export function changed(change, unit = "%") {
  if (change == null || !Number.isFinite(change)) return { text: UNKNOWN, isBig: false };
  const points = change * 100;
  const digits = unit === "pp" && Math.abs(points) < 1 ? 2 : 1;
  const isFlat = Math.abs(points) < 0.5 * 10 ** -digits;
  const sign = isFlat ? "·" : points > 0 ? "▲" : "▼";
  return {
    text: `${sign} ${plain(Math.abs(points), digits)}${SPACE}${unit}`,
    isBig: Math.abs(points) >= BIG_CHANGE[unit],
  };
}

/**
 * +81 or −310: a difference with its sign.
 * @param {number | null | undefined} value
 */
export function signed(value) {
  if (value == null) return UNKNOWN;
  return value > 0 ? `+${whole(value)}` : whole(value);
}

/** The sign before a bound or an estimate; nothing before an exact number. */
const SIGNS = /** @type {Record<string, string>} */ ({ "at most": "≤", "at least": "≥", estimate: "≈" });

/** @param {string | null | undefined} bound */
export function signOf(bound) {
  return SIGNS[bound ?? ""] ?? "";
}

/**
 * A number with the sign of its bound.
 * @param {string} shown
 * @param {string | null | undefined} bound
 */
export function bounded(shown, bound) {
  const sign = shown === UNKNOWN ? "" : signOf(bound);
  return sign ? `${sign}${SPACE}${shown}` : shown;
}

/**
 * "three", "12,345": small numbers in a sentence are words.
 * @param {number} value
 */
export function inWords(value) {
  return words.small[value] ?? whole(value);
}
