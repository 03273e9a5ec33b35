/** The audit log: every action and every refusal, newest first, a page at a time. */

import { now } from "../api/client.js";
import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { useAnswer } from "../state/answers.js";
import { choose, route } from "../state/route.js";
import { moment } from "../words/dates.js";
import { words } from "../words/en.js";

/** @typedef {import("../api/answers.js").AuditLog} AuditLog */
/** @typedef {import("../api/answers.js").AuditEntry} AuditEntry */

const ROWS = 12;
const OUTCOMES = ["", "done", "refused", "failed", "attempted"];
const SIGNS = /** @type {Record<string, [string, string]>} */ ({
  done: ["✓", "calm"],
  refused: ["✗", "late"],
  failed: ["✗", "bad"],
  attempted: ["…", "wait"],
});

export function Audit() {
  const { choices } = route.value;
  const outcome = choices.get("outcome") ?? "";
  const cursor = choices.get("page") ?? "";
  const query = new URLSearchParams({ limit: String(ROWS), ...(outcome && { outcome }), ...(cursor && { cursor }) });
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<AuditLog>} */ (
    useAnswer(`audit?${query}`)
  );
  const onChange = (/** @type {Event} */ event) =>
    choose({ outcome: /** @type {HTMLSelectElement} */ (event.currentTarget).value, page: "" });
  const tools = html`
    <select aria-label=${words.audit.which} value=${outcome} onChange=${onChange}>
      ${OUTCOMES.map((each) => html`<option value=${each} selected=${each === outcome}>${/** @type {Record<string, string>} */ (words.audit.outcomes)[each || "all"]}</option>`)}
    </select>
  `;
  const foot = html`
    <span>${words.audit.times}</span>
    <span class="grow"></span>
    ${cursor && html`<button type="button" class="button slim" onClick=${() => choose({ page: "" })}>${words.audit.newest}</button>`}
    <button type="button" class="button slim" disabled=${!data?.next} onClick=${() => choose({ page: data?.next })}>${words.audit.older}</button>
  `;
  return html`
    <${Panel} title=${words.audit.title} beside=${words.audit.beside} tools=${tools} foot=${foot} isBusy=${isOld}>
      ${data ? html`<ul class="audit">${data.entries.map((entry) => html`<${Entry} key=${entry.entry_id} entry=${entry} />`)}${!data.entries.length && html`<li class="soft">${words.audit.none}</li>`}</ul>` : problem ? html`<${PanelProblem} problem=${problem} />` : html`<${GhostLines} lines=${8} />`}
    </${Panel}>
  `;
}

/** @param {{ entry: AuditEntry }} props */
function Entry({ entry }) {
  const [sign, family] = SIGNS[entry.outcome] ?? ["·", "calm"];
  const today = new Date(now()).toISOString();
  return html`
    <li>
      <time class="quiet nowrap" datetime=${entry.at}>${moment(entry.at, today)}</time>
      <span class=${`mark family-${family}`} role="img" aria-label=${entry.outcome}>${sign}</span>
      <span><b>${entry.who}</b> · ${entry.action} <span class="soft">${[entry.target, entry.detail].filter(Boolean).join(", ")}</span></span>
    </li>
  `;
}
