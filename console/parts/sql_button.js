/** The query for the same number in Athena, to copy. */

import { useState } from "preact/hooks";
import { session } from "../state/session.js";
import { words } from "../words/en.js";
import { say } from "../words/say.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { CodeIcon } from "./icons.js";
import { Note } from "./panel.js";

/** @param {{ sql: string | undefined, about: string }} props */
export function SqlButton({ sql, about }) {
  const [isOpen, setOpen] = useState(false);
  if (!sql) return null;
  return html`
    <button type="button" class="button slim sql" aria-label=${`${words.sql.open}: ${about}`} onClick=${() => setOpen(true)}>
      <${CodeIcon} />${words.sql.button}
    </button>
    ${isOpen && html`<${SqlDialog} sql=${sql} onClose=${() => setOpen(false)} />`}
  `;
}

/** @param {{ sql: string, onClose: () => void }} props */
function SqlDialog({ sql, onClose }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(sql);
    setCopied(true);
  };
  return html`
    <${Dialog}
      title=${words.sql.title}
      onClose=${onClose}
      foot=${html`<button type="button" class="button main" onClick=${copy}>${isCopied ? words.sql.copied : words.sql.copy}</button>`}
    >
      <pre tabindex="0" aria-label=${words.sql.title}>${sql}</pre>
      <${Note}>${say(words.sql.where, { workgroup: html`<b>${session.value?.workgroup ?? ""}</b>` })}</${Note}>
      <span class="unseen" role="status">${isCopied ? words.sql.copied : ""}</span>
    </${Dialog}>
  `;
}
