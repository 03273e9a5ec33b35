/** Find an app or a run by name or id, from anywhere. */

import { useEffect, useId, useState } from "preact/hooks";
import { useAnswer } from "../state/answers.js";
import { address, go } from "../state/route.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { SearchIcon } from "./icons.js";
import { runBadge, runTitle } from "./run_words.js";
import { Mark } from "./verdict.js";

/** @typedef {import("../api/answers.js").AppTable} AppTable */
/** @typedef {import("../api/answers.js").RunList} RunList */
/** @typedef {{ hash: string, mark: any, name: string, id: string }} Hit */

const TYPING = 120;

/** @param {{ onClose: () => void }} props */
export function FindDialog({ onClose }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const asked = useSettled(typed.trim(), TYPING);
  const query = encodeURIComponent(asked);
  const apps = useAnswer(`apps?limit=7&days=1&q=${query}`);
  const runs = useAnswer(asked ? `runs?limit=4&q=${query}` : null);
  const hits = [...appHits(apps.data), ...(asked ? runHits(runs.data) : [])];
  const open = (/** @type {Hit | undefined} */ hit) => {
    if (!hit) return;
    onClose();
    go(hit.hash);
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") open(hits[at]);
    if (!step || !hits.length) return;
    event.preventDefault();
    setAt((at + step + hits.length) % hits.length);
  };
  return html`
    <${Dialog} title=${words.find.title} onClose=${onClose}>
      <div class="search">
        <${SearchIcon} />
        <input
          class="wide-field"
          role="combobox"
          autofocus
          aria-label=${words.frame.find}
          aria-expanded="true"
          aria-controls=${`${id}-hits`}
          aria-activedescendant=${hits.length ? `${id}-${at}` : undefined}
          placeholder=${words.find.placeholder}
          autocomplete="off"
          value=${typed}
          onInput=${(/** @type {InputEvent} */ event) => {
            setTyped(/** @type {HTMLInputElement} */ (event.currentTarget).value);
            setAt(0);
          }}
          onKeyDown=${onKeyDown}
        />
      </div>
      <div class="hits" role="listbox" id=${`${id}-hits`} aria-label=${words.find.title}>
        ${hits.map(
          (hit, index) => html`
            <a key=${hit.hash} id=${`${id}-${index}`} role="option" tabindex="-1" aria-selected=${index === at} href=${hit.hash} onClick=${onClose}>
              ${hit.mark}<span class="grow"><bdi>${hit.name}</bdi></span><span class="id">${hit.id}</span>
            </a>
          `,
        )}
      </div>
      <p class="quiet" role="status">${hits.length || apps.isAsking ? "" : text(words.find.nothing, { typed })}</p>
    </${Dialog}>
  `;
}

/** A value once it has stayed the same for a while. @template T @param {T} value @param {number} milliseconds */
function useSettled(value, milliseconds) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** @param {AppTable | null} table @returns {Hit[]} */
function appHits(table) {
  return (table?.apps ?? []).map((app) => ({
    hash: address(`apps/${app.app_id}`),
    mark: html`<${Mark} verdict=${app.verdict} />`,
    name: app.app_name || app.app_id,
    id: app.app_id,
  }));
}

/** @param {RunList | null} list @returns {Hit[]} */
function runHits(list) {
  return (list?.runs ?? []).map((run) => ({
    hash: address(`runs/${run.run_id}`),
    mark: runBadge(run).mark,
    name: runTitle(run),
    id: run.run_id,
  }));
}
