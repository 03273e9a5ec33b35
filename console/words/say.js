/** Sentences with {places}, so that a translation can reorder them: "{apps} are complete until {date}". */

/** @typedef {import("preact").ComponentChild} Child */

const plurals = new Intl.PluralRules("en");

/**
 * The pieces of a sentence with its {places} filled. A value can be an element: the result is for a template.
 * @param {string} sentence
 * @param {Record<string, Child>} values
 * @returns {Child[]}
 */
export function say(sentence, values = {}) {
  const pieces = sentence.split(/\{(\w+)\}/);
  return pieces.map((piece, index) => (index % 2 ? (values[piece] ?? "") : piece)).filter((piece) => piece !== "");
}

/**
 * The same as a string, for accessible names and titles. Places without a value are kept, to be filled later.
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function text(sentence, values = {}) {
  return sentence.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/**
 * The form of a word for a number: `many({ one: "{n} app", other: "{n} apps" }, 3)`, with `n` as the shown number.
 * @param {{ one: string, other: string }} forms
 * @param {number} number
 * @param {string} [shown]
 */
export function many(forms, number, shown = String(number)) {
  return text(plurals.select(number) === "one" ? forms.one : forms.other, { n: shown });
}

/**
 * "a", "a and b", "a, b and c".
 * @param {string[]} items
 */
export function listed(items) {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(items).replace(/, and /, " and ");
}
