/** The frame of every page: bar, navigation, live state, age of the data, and dialogs that belong to no page. */

import { useEffect, useRef } from "preact/hooks";
import { useAnswer } from "../state/answers.js";
import { opened } from "../state/keys.js";
import { isRunning } from "../state/live.js";
import { address, route } from "../state/route.js";
import { may, session } from "../state/session.js";
import { toggleTheme } from "../state/theme.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { initialsOf } from "../words/people.js";
import { text } from "../words/say.js";
import { FindDialog } from "./find.js";
import { html } from "./html.js";
import { BrandIcon, SearchIcon, ThemeIcon } from "./icons.js";
import { KeysDialog } from "./keys_dialog.js";
import { LiveSign, StaleBar } from "./live_sign.js";
import { PersonMenu } from "./person_menu.js";
import { TipLayer } from "./tip.js";

/** @typedef {import("../api/answers.js").Health} Health */

/** The navigation entry of a page. */
const PART_OF = /** @type {Record<string, string>} */ ({ app: "apps", run: "runs" });
const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** @param {{ children: any }} props */
export function Frame({ children }) {
  const health = /** @type {import("../state/answers.js").Answer<Health>} */ (useAnswer("health")).data;
  useEffect(() => {
    isRunning.value = Boolean(health?.running);
  }, [health]);
  return html`
    <a class="skip" href="#main" onClick=${skip}>${words.frame.skip}</a>
    <header class="top">
      <${Brand} />
      <nav aria-label=${words.frame.navigation}><${Places} health=${health} /></nav>
      <span class="grow"></span>
      <button type="button" class="jump" onClick=${openFind}>
        <${SearchIcon} /><span class="grow">${words.frame.find}</span><kbd aria-hidden="true">${IS_APPLE ? "⌘ K" : "Ctrl K"}</kbd>
      </button>
      <${LiveSign} />
      <button type="button" class="button bare icon" aria-label=${words.frame.theme} onClick=${toggleTheme}><${ThemeIcon} /></button>
      <${PersonMenu} letters=${initialsOf(session.value?.email ?? "")} role=${session.value?.role ?? ""} />
    </header>
    <${StaleBar} />
    <${Main}>${children}</${Main}>
    <nav class="bottom-tabs" aria-label=${words.frame.navigation}><${Places} health=${health} /></nav>
    ${opened.value === "find" && html`<${FindDialog} onClose=${close} />`}
    ${opened.value === "keys" && html`<${KeysDialog} onClose=${close} />`}
    <${TipLayer} />
  `;
}

/** The bar without a session. @param {{ children: any }} props */
export function BareFrame({ children }) {
  return html`
    <header class="top">
      <${Brand} />
      <span class="grow"></span>
      <button type="button" class="button bare icon" aria-label=${words.frame.theme} onClick=${toggleTheme}><${ThemeIcon} /></button>
    </header>
    <main id="main" class="page">${children}</main>
  `;
}

function Brand() {
  return html`<a class="brand" href="#/apps"><${BrandIcon} /><span><span class="wide">App Store </span>Analytics</span></a>`;
}

/** A new page gets the focus, so that screen readers and the Tab key start there. @param {{ children: any }} props */
function Main({ children }) {
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const place = `${route.value.page} ${route.value.id}`;
  const former = useRef(place);
  useEffect(() => {
    if (former.current !== place) main.current?.focus({ preventScroll: true });
    former.current = place;
  }, [place]);
  return html`<main id="main" class="page" tabindex="-1" ref=${main}>${children}</main>`;
}

/** @param {{ health: Health | null }} props */
function Places({ health }) {
  const here = PART_OF[route.value.page] ?? route.value.page;
  const current = (/** @type {string} */ page) => (here === page ? "page" : undefined);
  const needing = new Set(health?.attention.map((each) => each.app_id || each.account)).size;
  const running = health?.running;
  return html`
    <a href=${address("apps")} aria-current=${current("apps")}>
      ${words.frame.apps}
      ${needing > 0 && html`<span class="count" title=${text(words.frame.needing, { n: needing })}>${whole(needing)}</span>`}
    </a>
    <a href=${address("runs")} aria-current=${current("runs")}>
      ${words.frame.runs} ${running && html`<${Running} share=${running.share} />`}
    </a>
    ${
      may("manage people") &&
      html`<a href=${address("users")} aria-current=${current("users")}>${words.frame.users}</a>`
    }
  `;
}

/** @param {{ share: number | null }} props */
function Running({ share }) {
  const shown = share === null ? "" : ` ${Math.floor(share * 100)} %`;
  return html`<span class="count running" title=${words.frame.running}>▶${shown}</span>`;
}

function openFind() {
  opened.value = "find";
}

function close() {
  opened.value = null;
}

/**
 * The part of the URL after the # belongs to the page, so the skip link moves the focus itself.
 * @param {Event} event
 */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
