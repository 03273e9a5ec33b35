/** Find an app or a run by name or id, from anywhere. */

import { useAnswer } from "../state/answers.js";
import { address, go } from "../state/route.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";
import { comboboxOf, useTyped } from "./combobox.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { SearchIcon } from "./icons.js";
import { runBadge, runTitle } from "./run_words.js";
import { useSettled } from "./settled.js";
import { Mark } from "./verdict.js";

/** @typedef {import("../api/answers.js").AppTable} AppTable */
/** @typedef {import("../api/answers.js").RunList} RunList */
/** @typedef {{ hash: string, mark: any, name: string, id: string }} Hit */

/** @param {{ onClose: () => void }} props */
export function FindDialog({ onClose }) {
  const field = useTyped();
  const asked = useSettled(field.typed.trim());
  const query = encodeURIComponent(asked);
  const apps = useAnswer(`apps?limit=7&days=1&q=${query}`);
  const runs = useAnswer(asked ? `runs?limit=4&q=${query}` : null);
  const hits = [...appHits(apps.data), ...(asked ? runHits(runs.data) : [])];
  const open = (/** @type {number} */ at) => {
    const hit = hits[at];
    if (!hit) return;
    onClose();
    go(hit.hash);
  };
  const box = comboboxOf(field, hits.length, open);
  return html`
    <${Dialog} title=${words.find.title} onClose=${onClose}>
      <div class="search">
        <${SearchIcon} />
        <input class="wide-field" ...${box.input} autofocus aria-label=${words.frame.find} placeholder=${words.find.placeholder} />
      </div>
      <div class="hits" ...${box.list} aria-label=${words.find.title}>
        ${hits.map(
          (hit, index) => html`
            <a key=${hit.hash} ...${box.hit(index)} tabindex="-1" href=${hit.hash} onClick=${onClose}>
              ${hit.mark}<span class="grow"><bdi>${hit.name}</bdi></span><span class="id">${hit.id}</span>
            </a>
          `,
        )}
      </div>
      <p class="quiet" role="status">${hits.length || apps.isAsking ? "" : text(words.find.nothing, { typed: field.typed })}</p>
    </${Dialog}>
  `;
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
