/** The apps of a run × tables, exceptions first, a page at a time. */

import { Choice } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { familyOf, letterOf, Mark, sentenceOf, Verdict } from "../parts/verdict.js";
import { useAnswer } from "../state/answers.js";
import { address, choose, route } from "../state/route.js";
import { tipped } from "../state/tip.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { text } from "../words/say.js";

/** @typedef {import("../api/answers.js").RunDetails} RunDetails */
/** @typedef {import("../api/answers.js").RunItems} RunItems */
/** @typedef {import("../api/answers.js").RunApp} RunApp */

const ROWS = 50;

/** @param {{ run: RunDetails }} props */
export function Grid({ run }) {
  const { choices } = route.value;
  const only = choices.get("show") === "all" ? "" : "exceptions";
  const cursor = choices.get("page") ?? "";
  const query = new URLSearchParams({ limit: String(ROWS), ...(only && { only }), ...(cursor && { cursor }) });
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<RunItems>} */ (
    useAnswer(`runs/${encodeURIComponent(run.run_id)}/items?${query}`)
  );
  const all = data ? text(words.grid.all, { n: whole(data.total) }) : "";
  return html`
    <${Panel}
      title=${words.grid.title}
      beside=${data && text(words.grid.exceptions, { n: whole(data.exceptions), all: whole(data.total), rest: whole(data.total - data.exceptions) })}
      tools=${
        data &&
        html`
          <${Choice}
            label=${words.grid.which}
            options=${[["exceptions", words.grid.first], ["all", all]]}
            value=${only ? "exceptions" : "all"}
            onChoose=${(/** @type {string} */ value) => choose({ show: value === "all" ? "all" : "", page: "" })}
          />
        `
      }
      foot=${data && html`<${Foot} items=${data} />`}
      isBusy=${isOld}
    >
      ${data ? html`<${Table} items=${data} />` : problem ? html`<${PanelProblem} problem=${problem} />` : html`<${GhostLines} lines=${8} />`}
    </${Panel}>
  `;
}

/** @param {{ items: RunItems }} props */
function Table({ items }) {
  if (!items.apps.length) return html`<p class="well">${items.total ? words.grid.noException : words.grid.nothing}</p>`;
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${words.grid.title}>
      <table class="grid">
        <caption class="unseen">${words.grid.caption}</caption>
        <thead>
          <tr>
            <th scope="col" class="start stays">${words.apps.app}</th>
            <th scope="col" class="start only-wide">${words.apps.verdict}</th>
            ${items.tables.map((table) => html`<th scope="col"><span class="turned">${table}</span></th>`)}
          </tr>
        </thead>
        <tbody>${items.apps.map((app) => html`<${Row} key=${app.app_id} app=${app} tables=${items.tables} />`)}</tbody>
      </table>
    </div>
  `;
}

/** @param {{ app: RunApp, tables: string[] }} props */
function Row({ app, tables }) {
  return html`
    <tr>
      <th scope="row" class="stays">
        <span class="only-phone"><${Mark} verdict=${app.verdict} />${" "}</span>
        <a href=${address(`apps/${app.app_id}`)}><bdi>${app.app_name || app.app_id}</bdi></a>
        <span class="id only-wide"> ${app.app_name && app.app_id}</span>
      </th>
      <td class="word only-wide"><span ...${tipped(app.reason)}><${Verdict} verdict=${app.verdict} /></span></td>
      ${app.cells.map((verdict, index) => html`<td><${Box} verdict=${verdict} app=${app} table=${tables[index] ?? ""} /></td>`)}
    </tr>
  `;
}

/** @param {{ verdict: string | null, app: RunApp, table: string }} props */
function Box({ verdict, app, table }) {
  const word = verdict ?? words.grid.nothingOf;
  const says = html`
    <p><b><bdi>${app.app_name || app.app_id}</bdi></b></p>
    <p>${table}: ${word}</p>
    ${verdict && sentenceOf(verdict) && html`<p class="soft">${sentenceOf(verdict)}</p>`}
  `;
  const kind = verdict === null ? "box-none" : verdict === "unchanged" ? "box-same" : `family-${familyOf(verdict)}`;
  return html`<span class=${`box ${kind}`} ...${tipped(says)}><span aria-hidden="true">${verdict === null ? "·" : letterOf(verdict)}</span><span class="unseen">${word}</span></span>`;
}

/** @param {{ items: RunItems }} props */
function Foot({ items }) {
  const shown = [...new Set(items.apps.flatMap((app) => app.cells))].filter((verdict) => verdict !== null);
  return html`
    <div class="legend">${shown.map((verdict) => html`<span><${Mark} verdict=${verdict} />${verdict}</span>`)}</div>
    <span class="grow"></span>
    ${
      (items.offset > 0 || items.next) &&
      html`
        <span role="status">${text(words.apps.range, { from: whole(items.offset + 1), to: whole(items.offset + items.apps.length), total: whole(items.total) })}</span>
        <button type="button" class="button slim" disabled=${items.offset === 0} onClick=${() => choose({ page: items.previous })}>${words.apps.previous}</button>
        <button type="button" class="button slim" disabled=${!items.next} onClick=${() => choose({ page: items.next })}>${words.apps.next}</button>
      `
    }
  `;
}
