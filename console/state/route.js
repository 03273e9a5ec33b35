/** The route: the page, its subject and every choice on it are in the URL after the #. */

import { signal } from "@preact/signals";

/**
 * @typedef {object} Route
 * @property {string} page "apps", "app", "runs", "run", "users", "login"
 * @property {string} id of the app or the run; empty on the other pages
 * @property {URLSearchParams} choices filter, sort, period, tab …
 */

const WITH_ID = /** @type {Record<string, string>} */ ({ apps: "app", runs: "run" });

/** @param {string} hash @returns {Route} */
export function parsed(hash) {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [place = "", id = ""] = path.split("/").map(decoded);
  return { page: (id && WITH_ID[place]) || place || "apps", id, choices: new URLSearchParams(query) };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The current route; it always follows the URL. */
export const route = signal(parsed(location.hash));

/** The scroll position of each history entry, so that Back restores it. */
const scrolled = /** @type {Map<number, number>} */ (new Map());
let entry = 0;

/** Follow the URL. Called once. */
export function followAddress() {
  history.scrollRestoration = "manual";
  entry = history.state?.entry ?? 0;
  history.replaceState({ entry }, "");
  addEventListener("popstate", () => arrive(history.state?.entry));
  addEventListener("scroll", () => scrolled.set(entry, scrollY), { passive: true });
}

/** @param {number | undefined} known the entry that Back or Forward went to; none after a typed address */
function arrive(known) {
  entry = known ?? nextEntry();
  if (known === undefined) history.replaceState({ entry }, "");
  const before = route.value;
  route.value = parsed(location.hash);
  const isSamePage = before.page === route.value.page && before.id === route.value.id;
  if (known !== undefined || !isSamePage) scrollWhenDrawn(scrolled.get(entry) ?? 0);
}

function nextEntry() {
  return Math.max(entry, ...scrolled.keys(), 0) + 1;
}

/**
 * Known answers are rendered at once; if the page is still loading, scrolling is tried again later.
 * @param {number} top
 */
function scrollWhenDrawn(top) {
  requestAnimationFrame(() => scrollTo(0, top));
  if (top) setTimeout(() => scrollTo(0, top), 120);
}

/**
 * The URL of a page.
 * @param {string} path such as "apps/1000000001"
 * @param {Record<string, string | undefined>} [choices] empty ones are left out
 */
export function address(path, choices = {}) {
  const kept = Object.entries(choices).filter((pair) => pair[1]);
  const query = new URLSearchParams(/** @type {[string, string][]} */ (kept)).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

/**
 * Go to another page.
 * @param {string} hash
 */
export function go(hash) {
  history.pushState({ entry: nextEntry() }, "", hash);
  arrive(history.state.entry);
}

/**
 * The choices on this page, with some changed; an empty choice is the default and is not in the URL.
 * @param {Record<string, string | undefined>} changes
 */
export function withChoices(changes) {
  const { page, id, choices } = route.value;
  const place = Object.keys(WITH_ID).find((name) => WITH_ID[name] === page) ?? page;
  return address(id ? `${place}/${encodeURIComponent(id)}` : place, { ...Object.fromEntries(choices), ...changes });
}

/**
 * Change choices on this page. A typed filter replaces the history entry, so that Back leaves the page.
 * @param {Record<string, string | undefined>} changes
 * @param {{ replace?: boolean }} [how]
 */
export function choose(changes, { replace = false } = {}) {
  const hash = withChoices(changes);
  if (hash === location.hash) return;
  if (replace) history.replaceState(history.state, "", hash);
  else history.pushState({ entry: nextEntry() }, "", hash);
  entry = history.state?.entry ?? entry;
  route.value = parsed(hash);
}
