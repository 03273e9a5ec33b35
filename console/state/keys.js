/** Shortcuts of the whole page. Letters do nothing inside fields, nor while a dialog is open. */

import { signal } from "@preact/signals";
import { go } from "./route.js";
import { toggleTheme } from "./theme.js";
import { hideTip } from "./tip.js";

/** The open dialog of the page. */
export const opened = signal(/** @type {"find" | "keys" | null} */ (null));

const PLACES = /** @type {Record<string, string>} */ ({ a: "#/apps", r: "#/runs", u: "#/users" });
const SECOND_KEY_WITHIN = 900;

/** The page's own shortcuts: `c` compares, `n` starts a run. @type {Record<string, () => void>} */
let ofPage = {};
let goAt = 0;

/** @param {Record<string, () => void>} keys */
export function setPageKeys(keys) {
  ofPage = keys;
}

export function followKeys() {
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      opened.value = "find";
      return;
    }
    if (event.key === "Escape") hideTip();
    if (isTyping(event) || document.querySelector("dialog[open]")) return;
    press(event);
  });
}

/** @param {KeyboardEvent} event */
function isTyping(event) {
  const target = /** @type {Element | null} */ (event.target);
  const isField = target?.matches("input:not([type=checkbox], [type=radio]), select, textarea") ?? false;
  return isField || event.metaKey || event.ctrlKey || event.altKey;
}

/** @param {KeyboardEvent} event */
function press(event) {
  const place = performance.now() - goAt < SECOND_KEY_WITHIN ? PLACES[event.key] : undefined;
  goAt = event.key === "g" ? performance.now() : 0;
  const action = place ? () => go(place) : (ofPage[event.key] ?? EVERYWHERE[event.key]);
  if (!action) return;
  event.preventDefault();
  action();
}

/** @type {Record<string, () => void>} */
const EVERYWHERE = {
  "?": () => {
    opened.value = "keys";
  },
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector("[data-filter]"))?.focus(),
  t: toggleTheme,
};
