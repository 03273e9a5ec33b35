/** The Dates that Apple replaced in a run: Dates grow until they are final; only the marked ones are corrections. */

import { useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { signed, UNKNOWN, whole } from "../words/numbers.js";
import { many, say, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").RunDetails} RunDetails */
/** @typedef {import("../api/answers.js").ReplacedDate} ReplacedDate */

const SHOWN = 20;

/** @param {{ run: RunDetails }} props */
export function Replaced({ run }) {
  const [isAll, setAll] = useState(false);
  const { replaced } = run;
  const corrections = replaced.filter((each) => each.was_final).length;
  if (!replaced.length) return null;
  const rows = isAll ? replaced : replaced.slice(0, SHOWN);
  const foot = html`
    <span>${say(words.replaced.note, { table: html`<span class="mono">appstore.batches</span>` })}</span>
    <span class="grow"></span>
    ${replaced.length > SHOWN && html`<button type="button" class="button slim" aria-expanded=${isAll} onClick=${() => setAll(!isAll)}>${isAll ? words.replaced.fewer : text(words.replaced.all, { n: whole(replaced.length) })}</button>`}
  `;
  return html`
    <${Panel}
      title=${words.replaced.title}
      beside=${`${many(words.replaced.count, replaced.length, whole(replaced.length))} ${many(words.replaced.corrections, corrections, whole(corrections))}`}
      foot=${foot}
      anchor="replaced"
    >
      <div class="scroll" tabindex="0" role="group" aria-label=${words.replaced.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">${words.replaced.table}</th>
              <th scope="col">${words.chart.date}</th>
              <th scope="col" class="number">${words.replaced.apps}</th>
              <th scope="col" class="number">${words.replaced.before}</th>
              <th scope="col" class="number">${words.replaced.now}</th>
              <th scope="col" class="number">${words.replaced.change}</th>
              <th scope="col" class="number">${words.replaced.sum}</th>
              <th scope="col">${words.replaced.why}</th>
            </tr>
          </thead>
          <tbody>${rows.map((date) => html`<${Row} key=${`${date.table_name} ${date.day}`} date=${date} />`)}</tbody>
        </table>
      </div>
    </${Panel}>
  `;
}

/** @param {{ date: ReplacedDate }} props */
function Row({ date }) {
  return html`
    <tr>
      <th scope="row">${date.table_name}</th>
      <td>${date.was_final && html`<span class="mark family-restated" aria-hidden="true">◥</span> `}<time datetime=${date.day}>${weekday(date.day)}</time></td>
      <td class="number">${whole(date.apps)}</td>
      <td class="number soft">${whole(date.rows_before)}</td>
      <td class="number">${whole(date.rows_now)}</td>
      <td class="number"><b>${signed(date.rows_now - date.rows_before)}</b></td>
      <td class="number">${changeOfSums(date)}</td>
      <td class="soft">${date.was_final ? words.replaced.correction : words.replaced.grew}</td>
    </tr>
  `;
}

/** The additive measures that changed, by name: "counts +81". @param {ReplacedDate} date */
function changeOfSums({ sums_before: before, sums_now: now }) {
  const parts = Object.keys(now).flatMap((name) => {
    const difference = Number(now[name]) - Number(before[name] ?? 0);
    return difference ? [`${name} ${signed(difference)}`] : [];
  });
  return parts.length ? parts.join(", ") : UNKNOWN;
}
