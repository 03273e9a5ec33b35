/** The numbers of the main chart, the newest Date first. */

import { plusDays, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { bounded, exactIn } from "../words/numbers.js";
import { text } from "../words/say.js";
import { html } from "./html.js";
import { Verdict } from "./verdict.js";

/** @typedef {import("../api/answers.js").ReportedKpi} Kpi */
/** @typedef {import("../api/answers.js").ReportedPoint} Point */

/** @param {{ kpi: Kpi, title: string, points: Point[], compares: boolean, days: number }} props */
export function SeriesTable({ kpi, title, points, compares, days }) {
  const exact = exactIn(kpi.unit);
  return html`
    <div class="main-table" tabindex="0" role="group" aria-label=${title}>
      <table>
        <thead>
          <tr>
            <th scope="col">${words.chart.date}</th>
            <th scope="col" class="number">${title}</th>
            ${compares && html`<th scope="col" class="number">${text(words.chart.before, { n: days })}</th>`}
            <th scope="col">${words.chart.state}</th>
          </tr>
        </thead>
        <tbody>
          ${points.toReversed().map(
            (point) => html`
              <tr key=${point.day}>
                <th scope="row"><time datetime=${point.day}>${weekday(point.day)}</time></th>
                <td class="number">${bounded(exact(point.value), point.value === null ? "" : kpi.bound)}</td>
                ${compares && html`<td class="number soft" title=${weekday(plusDays(point.day, -days))}>${exact(point.previous)}</td>`}
                <td><${State} point=${point} exact=${exact} /></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {{ point: Point, exact: (value: number | null) => string }} props */
function State({ point, exact }) {
  if (!point.restated_on) return html`<${Verdict} verdict=${point.state} />`;
  const was =
    point.restated_from === null
      ? words.chart.restatedShort
      : text(words.chart.restatedWas, { was: exact(point.restated_from) });
  return html`
    <span class="verdict"><span class="mark family-restated" aria-hidden="true">◆</span><span class="word">${was}</span></span>
  `;
}
