/** Choices: one of a few side by side, and chips that filter. */

import { html } from "./html.js";

/**
 * @template {string} V
 * @param {object} props
 * @param {string} props.label read out
 * @param {[V, import("preact").ComponentChild][]} props.options value and word
 * @param {V} props.value
 * @param {(value: V) => void} props.onChoose
 */
export function Choice({ label, options, value, onChoose }) {
  return html`
    <div class="choice" role="group" aria-label=${label}>
      ${options.map(
        ([each, word]) => html`
          <button key=${each} type="button" aria-pressed=${each === value} onClick=${() => onChoose(each)}>${word}</button>
        `,
      )}
    </div>
  `;
}

/**
 * Tabs of one panel, with the usual arrow keys.
 * @template {string} V
 * @param {object} props
 * @param {string} props.label
 * @param {[V, string][]} props.options
 * @param {V} props.value
 * @param {string} props.panel the id of what they change
 * @param {(value: V) => void} props.onChoose
 */
export function Tabs({ label, options, value, panel, onChoose }) {
  const at = options.findIndex(([each]) => each === value);
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1 })[event.key];
    const next = step && options[(at + step + options.length) % options.length];
    if (!next) return;
    event.preventDefault();
    onChoose(next[0]);
    const list = /** @type {HTMLElement} */ (event.currentTarget);
    /** @type {HTMLElement | undefined} */ (list.children[options.indexOf(next)])?.focus();
  };
  return html`
    <div class="choice" role="tablist" aria-label=${label} onKeyDown=${move}>
      ${options.map(
        ([each, word]) => html`
          <button
            key=${each}
            type="button"
            role="tab"
            aria-selected=${each === value}
            aria-controls=${panel}
            tabindex=${each === value ? 0 : -1}
            onClick=${() => onChoose(each)}
          >${word}</button>
        `,
      )}
    </div>
  `;
}

/**
 * @param {object} props
 * @param {boolean} props.isOn
 * @param {() => void} props.onToggle
 * @param {import("preact").ComponentChildren} props.children
 */
export function Chip({ isOn, onToggle, children }) {
  return html`<button type="button" class="chip" aria-pressed=${isOn} onClick=${onToggle}>${children}</button>`;
}
