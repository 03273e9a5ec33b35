/** Light or dark. theme.js sets it before the first paint; here it is changed and remembered. */

import { signal } from "@preact/signals";

/** @returns {"light" | "dark"} */
function current() {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

export const theme = signal(current());

export function toggleTheme() {
  const next = current() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  theme.value = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // a private window: it holds until the page is left
  }
}
