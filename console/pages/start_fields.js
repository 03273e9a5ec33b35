/** The fields that each operation needs for a plan. */

import { AppPicker } from "../parts/app_picker.js";
import { Chip } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { operationName, runTitle } from "../parts/run_words.js";
import { useAnswer } from "../state/answers.js";
import { seconds } from "../words/dates.js";
import { words } from "../words/en.js";

/** @typedef {import("../api/answers.js").RunList} RunList */
/** @typedef {import("../api/answers.js").TableDates} TableDates */
/** @typedef {{ name: string, kind: "date" | "apps" | "tables" | "run", isOptional?: boolean }} Field named as the API does */
/** @typedef {Record<string, string | string[]>} Values */

/** @type {Field} */
const APPS = { name: "app_ids", kind: "apps" };
/** @type {Field} */
const TABLES = { name: "reports", kind: "tables", isOptional: true };
/** @type {Field} */
const RUN = { name: "run_id", kind: "run" };
/** @param {string} name @param {boolean} [isOptional] @returns {Field} */
const date = (name, isOptional) => ({ name, kind: "date", isOptional });
const optional = (/** @type {Field} */ field) => ({ ...field, isOptional: true });

/** @type {Record<string, Field[]>} */
export const FIELDS = {
  daily: [],
  backfill: [date("start_date"), date("end_date"), APPS, TABLES],
  reprocess: [
    optional(RUN),
    optional(APPS),
    TABLES,
    date("start_processing_date", true),
    date("end_processing_date", true),
  ],
  refetch: [date("start_processing_date"), date("end_processing_date"), APPS, TABLES],
  rollback: [RUN],
};

const LISTS = ["app_ids", "reports"];
const SINGLE = ["start_date", "end_date", "start_processing_date", "end_processing_date", "run_id"];

/** The fields that a link to the dialog fills in. @param {URLSearchParams} choices @returns {Values} */
export function filledFrom(choices) {
  const lists = LISTS.map((name) => [name, (choices.get(name) ?? "").split(/[\s,]+/).filter(Boolean)]);
  return Object.fromEntries([...lists, ...SINGLE.map((name) => [name, choices.get(name) ?? ""])]);
}

/** Only the fields of the operation, without empty ones. @param {string} operation @param {Values} values */
export function argumentsOf(operation, values) {
  const pairs = (FIELDS[operation] ?? []).map(({ name }) => /** @type {const} */ ([name, values[name] ?? ""]));
  return Object.fromEntries(pairs.filter(([, value]) => value.length > 0));
}

/**
 * @param {object} props
 * @param {string} props.operation
 * @param {Values} props.values
 * @param {string} props.fault the field that the API refused
 * @param {(operation: string) => void} props.onOperation
 * @param {(values: Values) => void} props.onValues
 * @param {() => void} props.onSubmit
 */
export function Choose({ operation, values, fault, onOperation, onValues, onSubmit }) {
  const says = /** @type {Record<string, string>} */ (words.start.says)[operation];
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit();
  };
  const set = (/** @type {string} */ name) => (/** @type {string | string[]} */ value) =>
    onValues({ ...values, [name]: value });
  return html`
    <form class="stack" onSubmit=${submit}>
      <div class="choice operations" role="group" aria-label=${words.start.operation}>
        ${Object.keys(FIELDS).map(
          (name) => html`
            <button key=${name} type="button" autofocus=${name === operation} aria-pressed=${name === operation} onClick=${() => onOperation(name)}>${operationName(name)}</button>
          `,
        )}
      </div>
      <p>${says}</p>
      <div class="form">
        ${(FIELDS[operation] ?? []).map((field) => html`<${Input} key=${field.name} field=${field} value=${values[field.name] ?? ""} isAtFault=${fault.endsWith(field.name)} onChange=${set(field.name)} />`)}
      </div>
      <button type="submit" class="unseen" tabindex="-1" aria-hidden="true"></button>
    </form>
  `;
}

/** Optional fields say so, and what an empty field means. @param {Field} field */
function hintOf(field) {
  if (!field.isOptional) return "";
  return field.kind === "apps" || field.kind === "tables" ? words.start.allApps : words.start.optional;
}

/** @param {{ field: Field, value: string | string[], isAtFault: boolean, onChange: (value: any) => void }} props */
function Input({ field, value, isAtFault, onChange }) {
  const name = /** @type {Record<string, string>} */ (words.start.fields)[field.name] ?? field.name;
  const hint = hintOf(field);
  const shared = { label: hint ? `${name}, ${hint}` : name, isAtFault, onChange };
  const list = Array.isArray(value) ? value : [];
  if (field.kind === "apps") return html`<${AppPicker} ...${shared} chosen=${list} />`;
  if (field.kind === "tables") return html`<${TablePicker} ...${shared} chosen=${list} />`;
  if (field.kind === "run") return html`<${RunPicker} ...${shared} value=${value} />`;
  return html`<${DateField} ...${shared} name=${field.name} value=${value} />`;
}

/** @param {Event} event */
const typedInto = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** @param {{ label: string, name: string, value: string, isAtFault: boolean, onChange: (date: string) => void }} props */
function DateField({ label, name, value, isAtFault, onChange }) {
  return html`
    <label class="field">
      <span>${label}</span>
      <input type="date" name=${name} aria-invalid=${isAtFault} value=${value} onInput=${(/** @type {Event} */ event) => onChange(typedInto(event))} />
    </label>
  `;
}

/** @param {{ label: string, chosen: string[], onChange: (tables: string[]) => void }} props */
function TablePicker({ label, chosen, onChange }) {
  const { data } = /** @type {import("../state/answers.js").Answer<TableDates>} */ (useAnswer("tables?days=30"));
  const known = data?.tables.map((table) => table.table_name.replace(/_vintages$/, "")) ?? [];
  const offered = [...new Set([...known, ...chosen])];
  const toggle = (/** @type {string} */ table) =>
    onChange(chosen.includes(table) ? chosen.filter((each) => each !== table) : [...chosen, table]);
  return html`
    <div class="field whole">
      <span>${label}</span>
      <div class="chips" role="group" aria-label=${label}>
        ${offered.map((table) => html`<${Chip} key=${table} isOn=${chosen.includes(table)} onToggle=${() => toggle(table)}>${table}</${Chip}>`)}
      </div>
    </div>
  `;
}

/**
 * A recent run, or the id of an older one.
 * @param {{ label: string, value: string, isAtFault: boolean, onChange: (run: string) => void }} props
 */
function RunPicker({ label, value, isAtFault, onChange }) {
  const { data } = /** @type {import("../state/answers.js").Answer<RunList>} */ (useAnswer("runs?limit=20"));
  const runs = (data?.runs ?? []).filter((run) => run.status !== "RUNNING");
  return html`
    <label class="field whole">
      <span>${label}</span>
      <input name="run_id" list="recent-runs" autocomplete="off" spellcheck=${false} aria-invalid=${isAtFault} value=${value} onInput=${(/** @type {Event} */ event) => onChange(typedInto(event).trim())} />
      <datalist id="recent-runs">
        ${runs.map((run) => html`<option value=${run.run_id}>${runTitle(run)}, ${seconds(run.started_at)}</option>`)}
      </datalist>
    </label>
  `;
}
