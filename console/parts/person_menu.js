/** The signed-in person, and sign-out. */

import { useState } from "preact/hooks";
import { session, signOut } from "../state/session.js";
import { words } from "../words/en.js";
import { many, text } from "../words/say.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";

/** @param {{ letters: string, role: string }} props */
export function PersonMenu({ letters, role }) {
  const [isOpen, setOpen] = useState(false);
  const who = text(words.person.open, { email: session.value?.email ?? "" });
  return html`
    <button type="button" class="me" onClick=${() => setOpen(true)}>
      <span class="unseen">${who}</span><span class="initials" aria-hidden="true">${letters}</span><span class="role">${role}</span>
    </button>
    ${isOpen && html`<${PersonDialog} onClose=${() => setOpen(false)} />`}
  `;
}

/** @param {{ onClose: () => void }} props */
function PersonDialog({ onClose }) {
  const me = session.value;
  if (!me) return null;
  const apps = me.app_ids === null ? words.person.allApps : many(words.person.someApps, me.app_ids.length);
  const leave = () => {
    onClose();
    signOut();
  };
  return html`
    <${Dialog}
      title=${me.email || words.person.title}
      onClose=${onClose}
      foot=${html`<button type="button" class="button" onClick=${leave}>${words.person.signOut}</button>`}
    >
      <p>${text(words.person.role, { role: me.role, apps })}</p>
      <p class="quiet">${words.person.shortcuts} <kbd>?</kbd></p>
    </${Dialog}>
  `;
}
