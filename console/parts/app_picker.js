/** Choose apps by name or id: the chosen ones are chips, and a field finds more. */

import { useAnswer } from "../state/answers.js";
import { words } from "../words/en.js";
import { comboboxOf, useTyped } from "./combobox.js";
import { html } from "./html.js";
import { useSettled } from "./settled.js";

/** @typedef {import("../api/answers.js").AppTable} AppTable */
/** @typedef {import("../state/answers.js").Answer<AppTable>} AppsAnswer */

const HITS = 6;
const ID = /^[1-9][0-9]{5,17}$/;

/** The names of apps in earlier answers, by id. @type {Map<string, string>} */
const names = new Map();

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string[]} props.chosen ids
 * @param {boolean} [props.isAtFault]
 * @param {(ids: string[]) => void} props.onChange
 */
export function AppPicker({ label, chosen, isAtFault = false, onChange }) {
  const field = useTyped();
  const typed = field.typed.trim();
  const answer = /** @type {AppsAnswer} */ (useAnswer(appsPath(useSettled(typed))));
  useNames(chosen);
  for (const app of answer.data?.apps ?? []) names.set(app.app_id, app.app_name);
  const hits = typed ? (answer.data?.apps ?? []).filter((app) => !chosen.includes(app.app_id)) : [];

  const pick = (/** @type {number} */ at) => {
    const app = hits[at]?.app_id ?? (ID.test(typed) ? typed : "");
    if (!app) return;
    onChange([...new Set([...chosen, app])]);
    field.type("");
  };
  const remove = (/** @type {string} */ app) => onChange(chosen.filter((each) => each !== app));
  const onOtherKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Backspace" && !field.typed) onChange(chosen.slice(0, -1));
  };
  const box = comboboxOf(field, hits.length, pick, onOtherKey);
  return html`
    <div class="field whole picker">
      <span id=${`${field.id}-label`}>${label}</span>
      ${
        chosen.length > 0 &&
        html`<div class="chips">${chosen.map((app) => html`<${Chosen} key=${app} app=${app} onRemove=${remove} />`)}</div>`
      }
      <input ...${box.input} aria-labelledby=${`${field.id}-label`} aria-invalid=${isAtFault} placeholder=${words.picker.find} />
      <div class="hits" ...${box.list} aria-label=${label} hidden=${!hits.length}>
        ${hits.map(
          (hit, index) => html`
            <div key=${hit.app_id} class="hit" ...${box.hit(index)} onMouseDown=${keepFocus} onClick=${() => pick(index)}>
              <span class="grow"><bdi>${hit.app_name || hit.app_id}</bdi></span><span class="id">${hit.app_id}</span>
            </div>
          `,
        )}
      </div>
    </div>
  `;
}

/** The field keeps the focus while a hit is clicked. @param {Event} event */
function keepFocus(event) {
  event.preventDefault();
}

/** @param {string} query */
function appsPath(query) {
  return query ? `apps?limit=${HITS}&days=1&q=${encodeURIComponent(query)}` : null;
}

/**
 * Request the name of the first app that is known only by id; the answer triggers the next request.
 * @param {string[]} ids
 */
function useNames(ids) {
  const unknown = ids.find((id) => !names.has(id)) ?? "";
  const { data, problem, isOld } = /** @type {AppsAnswer} */ (useAnswer(appsPath(unknown)));
  if (!unknown || isOld || (!data && !problem)) return;
  names.set(unknown, data?.apps.find((app) => app.app_id === unknown)?.app_name ?? "");
}

/** @param {{ app: string, onRemove: (app: string) => void }} props */
function Chosen({ app, onRemove }) {
  const name = names.get(app);
  return html`
    <button type="button" class="chip" onClick=${() => onRemove(app)}>
      <span class="unseen">${words.picker.remove}</span>
      ${name && html`<bdi>${name}</bdi>`} <span class="id">${app}</span> <span aria-hidden="true">×</span>
    </button>
  `;
}
