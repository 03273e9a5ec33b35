/** The shortcuts, and the meaning of each verdict's letter. */

import { words } from "../words/en.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { sentenceOf, Verdict, WORST_FIRST } from "./verdict.js";

/** @param {{ onClose: () => void }} props */
export function KeysDialog({ onClose }) {
  return html`
    <${Dialog} title=${words.keys.title} onClose=${onClose}>
      <dl class="keys">
        ${words.keys.list.map(([key, meaning]) => html`<dt><kbd>${key}</kbd></dt><dd>${meaning}</dd>`)}
      </dl>
      <h3>${words.keys.verdicts}</h3>
      <ul class="verdict-list">
        ${WORST_FIRST.map((verdict) => html`<li><${Verdict} verdict=${verdict} /><span class="soft">${sentenceOf(verdict)}</span></li>`)}
      </ul>
    </${Dialog}>
  `;
}
