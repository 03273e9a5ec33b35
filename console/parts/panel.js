/** The usual box: a heading, text beside it, a body and a foot. */

import { useId } from "preact/hooks";
import { html } from "./html.js";

/**
 * @param {object} props
 * @param {import("preact").ComponentChild} props.title
 * @param {import("preact").ComponentChild} [props.beside] said quietly after the title
 * @param {import("preact").ComponentChild} [props.tools] at the other end of the heading
 * @param {import("preact").ComponentChild} [props.foot]
 * @param {string} [props.kind] more classes
 * @param {boolean} [props.isBusy] whether something newer is awaited
 * @param {string} [props.anchor] the id that links lead to
 * @param {import("preact").ComponentChildren} props.children
 */
export function Panel({ title, beside, tools, foot, kind = "", isBusy = false, anchor, children }) {
  const id = useId();
  return html`
    <section class=${`panel ${kind}`} id=${anchor} aria-labelledby=${id} aria-busy=${isBusy}>
      <div class="head">
        <h2 id=${id}>${title}</h2>
        ${beside && html`<span class="quiet">${beside}</span>`}
        ${tools && html`<span class="grow"></span>${tools}`}
      </div>
      ${children}
      ${foot && html`<div class="foot">${foot}</div>`}
    </section>
  `;
}

/**
 * A sentence with the sign that it explains: i, ≤, ≥, ≈, ◥.
 * @param {{ sign?: string, kind?: string, children: any }} props
 */
export function Note({ sign = "i", kind = "", children }) {
  return html`<p class="note"><span class=${`sign ${kind}`} aria-hidden="true">${sign}</span><span>${children}</span></p>`;
}
