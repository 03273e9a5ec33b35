/** The share of users who downloaded in a week and still open the app n days later. */

import { now } from "../api/client.js";
import { kpisPath } from "../api/questions.js";
import { html } from "../parts/html.js";
import { useNear } from "../parts/near.js";
import { Note, Panel } from "../parts/panel.js";
import { SqlButton } from "../parts/sql_button.js";
import { GhostLines, PanelProblem } from "../parts/states.js";
import { useAnswer } from "../state/answers.js";
import { tipped } from "../state/tip.js";
import { day, plusDays } from "../words/dates.js";
import { words } from "../words/en.js";
import { share } from "../words/numbers.js";
import { text } from "../words/say.js";
import { askable } from "./app_figures.js";

/** @typedef {import("../api/answers.js").KpiReport} KpiReport */
/** @typedef {import("../api/answers.js").ReportedPoint} Point */
/** @typedef {import("../api/answers.js").CatalogueEntry} Entry */
/** @typedef {import("./app.js").View} View */

const DAYS = [1, 3, 7, 14, 21, 30];
const WEEKS = 8;
/** This share gets the full colour. */
const FULL = 0.8;

/** The Mondays of the last complete weeks. */
function between() {
  const today = new Date(now());
  const monday = plusDays(today.toISOString(), -((today.getUTCDay() + 6) % 7));
  return /** @type {[string, string]} */ ([plusDays(monday, -7 * WEEKS), plusDays(monday, -1)]);
}

/** @param {{ view: View, known: Entry[] | null }} props */
export function Retention({ view, known }) {
  const [element, isNear] = useNear();
  const isThere = askable(["retention"], known, "").length > 0;
  const path =
    isNear && isThere
      ? kpisPath({ metrics: ["retention"], app: view.app, days: view.days, granularity: "week", between: between() })
      : null;
  const { data, problem } = /** @type {import("../state/answers.js").Answer<KpiReport>} */ (
    useAnswer(path, { pace: 60_000 })
  );
  return html`
    <${Panel}
      title=${words.retention.title}
      beside=${words.retention.who}
      tools=${html`<${SqlButton} sql=${data?.sql} about=${words.retention.title} />`}
      foot=${html`<${Note} sign="≈">${data?.kpis[0]?.trap ?? words.retention.note}</${Note}>`}
    >
      <div class="body scroll" ref=${element} tabindex="-1">
        ${data ? html`<${Triangle} report=${data} />` : problem ? html`<${PanelProblem} problem=${problem} />` : known && !isThere ? html`<p class="soft">${words.retention.none}</p>` : html`<${GhostLines} lines=${7} isAsked=${isNear} />`}
      </div>
    </${Panel}>
  `;
}

/** @param {{ report: KpiReport }} props */
function Triangle({ report }) {
  const shown = DAYS.map((number) => report.series.find((series) => series.slice === String(number)));
  const weeks = shown[0]?.points.map((point) => point.day) ?? [];
  if (!weeks.some((_, row) => shown.some((series) => series?.points[row]?.value != null)))
    return html`<p class="soft">${words.retention.empty}</p>`;
  return html`
    <table class="retention">
      <caption class="unseen">${words.retention.title}</caption>
      <thead>
        <tr>
          <th scope="col">${words.retention.week}</th>
          ${DAYS.map((number) => html`<th scope="col" class="number">${text(words.retention.day, { n: number })}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${weeks.map(
          (week, row) => html`
            <tr key=${week}>
              <th scope="row" class="nowrap">${day(week)}</th>
              ${shown.map((series, column) => html`<${Cell} point=${series?.points[row]} week=${week} number=${DAYS[column] ?? 0} />`)}
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}

/** @param {{ point: Point | undefined, week: string, number: number }} props */
function Cell({ point, week, number }) {
  if (!point || point.value === null)
    return html`<td class="quiet"><span aria-label=${words.retention.notYet}>·</span></td>`;
  const isOpen = !point.is_final;
  const strength = Math.round(Math.min(1, point.value / FULL) * 100);
  const says = html`
    <p><b>${text(words.retention.cell, { date: day(week), n: number })}</b></p>
    <p>≈ ${text(words.retention.devices, { share: share(point.value) })}</p>
    ${isOpen && html`<p class="soft">${words.retention.open}</p>`}
  `;
  const backgroundColor = `color-mix(in srgb, var(--series) ${strength}%, var(--surface))`;
  return html`<td class=${isOpen ? "open" : ""} style=${{ backgroundColor }} ...${tipped(says)}>${share(point.value)}</td>`;
}
