/** A field with a list of hits below it: arrow keys move, Enter selects, as screen readers expect of a combobox. */

import { useId, useState } from "preact/hooks";

const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });

/** The typed text, and the position in the list. */
export function useTyped() {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const type = (/** @type {string} */ value) => {
    setTyped(value);
    setAt(0);
  };
  return { id: useId(), typed, type, at, setAt };
}

/**
 * The properties of the field, of the list and of each hit.
 * @param {ReturnType<typeof useTyped>} field
 * @param {number} count of the hits
 * @param {(at: number) => void} onPick
 * @param {(event: KeyboardEvent) => void} [onOtherKey]
 */
export function comboboxOf({ id, typed, type, at, setAt }, count, onPick, onOtherKey) {
  const here = Math.min(at, count - 1);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const step = STEPS[event.key];
    if (event.key === "Enter" && typed.trim()) {
      event.preventDefault();
      onPick(here);
    } else if (step && count) {
      event.preventDefault();
      setAt((here + step + count) % count);
    } else {
      onOtherKey?.(event);
    }
  };
  return {
    input: {
      role: "combobox",
      autocomplete: "off",
      spellcheck: false,
      "aria-expanded": count > 0,
      "aria-controls": `${id}-hits`,
      "aria-activedescendant": count ? `${id}-${here}` : undefined,
      value: typed,
      onInput: (/** @type {Event} */ event) => type(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      onKeyDown,
    },
    list: { role: "listbox", id: `${id}-hits` },
    hit: (/** @type {number} */ index) => ({ role: "option", id: `${id}-${index}`, "aria-selected": index === here }),
  };
}
