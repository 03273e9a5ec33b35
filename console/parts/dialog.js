/** A modal dialog. The browser keeps the focus inside and returns it afterwards. */

import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words/en.js";
import { html } from "./html.js";

/**
 * @param {object} props
 * @param {import("preact").ComponentChild} props.title
 * @param {import("preact").ComponentChild} [props.beside]
 * @param {string} [props.close] the word of the button that closes it
 * @param {() => void} props.onClose
 * @param {import("preact").ComponentChild} [props.foot]
 * @param {import("preact").ComponentChildren} props.children
 */
export function Dialog({ title, beside, close = words.dialog.close, onClose, foot, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  // Before the next key: what is typed right after a shortcut belongs into the dialog's field.
  useLayoutEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    element.current?.showModal();
    return () => opener?.isConnected && opener.focus();
  }, []);
  /** @param {MouseEvent} event a click on the backdrop is a click on the dialog itself */
  const onClick = (event) => event.target === element.current && onClose();
  return html`
    <dialog ref=${element} aria-labelledby=${id} onClose=${onClose} onClick=${onClick}>
      <div class="dialog-head">
        <h2 id=${id}>${title}</h2>
        ${beside && html`<span class="quiet">${beside}</span>`}
        <span class="grow"></span>
        <button type="button" class="button bare slim" onClick=${onClose}>${close}</button>
      </div>
      <div class="dialog-body">${children}</div>
      ${foot && html`<div class="dialog-foot">${foot}</div>`}
    </dialog>
  `;
}
