/** Light or dark. theme.js sets it before the first paint; this module changes and stores it. */

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
    // a private window: the choice is lost when the page is closed
  }
}
