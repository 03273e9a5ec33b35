/** Maps values to pixels. */

/**
 * A round step: 1, 2, 2.5 or 5 times a power of ten.
 * @param {number} rough
 */
export function niceStep(rough) {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough * 0.999_999) ?? 10;
  return factor * power;
}

/** The preferred numbers of steps on an axis, the best first. */
const STEPS = [4, 5, 3, 6];

/**
 * The lowest and highest value of an axis and its grid lines, with little unused space. The axis always includes zero.
 * @param {(number | null)[]} values
 * @param {number[]} [counts] of steps, the best first
 * @returns {{ low: number, high: number, lines: number[] }}
 */
export function scaleOf(values, counts = STEPS) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(0, ...known) * 1.02;
  const least = Math.min(0, ...known);
  const scales = counts.map((count) => stepped(least, most, niceStep((most - least) / count)));
  const tightest = Math.min(...scales.map((scale) => scale.high - scale.low));
  return scales.find((scale) => scale.high - scale.low <= tightest * 1.001) ?? stepped(0, 1, 1);
}

/** @param {number} least @param {number} most @param {number} step */
function stepped(least, most, step) {
  const low = rounded(Math.floor(least / step) * step);
  const high = rounded(Math.max(Math.ceil(most / step) * step, low + step));
  const count = Math.round((high - low) / step);
  return { low, high, lines: Array.from({ length: count + 1 }, (_, index) => rounded(low + index * step)) };
}

/** Remove the rounding errors of binary fractions. @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(12));
}

/**
 * The labelled Dates of an axis: about one per 74 pixels, counted from the newest.
 * @param {number} count
 * @param {number} width
 * @param {number} [room]
 */
export function namedPlaces(count, width, room = 74) {
  const every = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / room))));
  return Array.from({ length: count }, (_, index) => index).filter((index) => (count - 1 - index) % every === 0);
}

/** One decimal is a tenth of a pixel. @param {number} value */
export function px(value) {
  return Math.round(value * 10) / 10;
}

/**
 * The path through the known values in a range; unknown values interrupt it.
 * @param {(number | null)[]} values
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {(index: number) => boolean} [joins] whether the stretch from this place to the next is drawn
 */
export function pathOf(values, x, y, joins = () => true) {
  let path = "";
  let isDown = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const next = values[index + 1];
    const goesOn = next !== undefined && next !== null && joins(index);
    if (isDown) path += `L${px(x(index))} ${px(y(value))}`;
    else if (goesOn) path += `M${px(x(index))} ${px(y(value))}`;
    isDown = goesOn;
  }
  return path;
}

/**
 * Runs of neighbours that meet a condition, as first and last index.
 * @param {number} count
 * @param {(index: number) => boolean} holds
 * @returns {[number, number][]}
 */
export function stretches(count, holds) {
  /** @type {[number, number][]} */
  const found = [];
  for (let index = 0; index < count; index += 1) {
    const last = found.at(-1);
    if (!holds(index)) continue;
    if (last && last[1] === index - 1) last[1] = index;
    else found.push([index, index]);
  }
  return found;
}
