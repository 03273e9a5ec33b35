/** Apps: the complete Dates, the problems and who has to act, and every app with its numbers. */

import { useState } from "preact/hooks";
import { html } from "../parts/html.js";
import { Needs } from "../parts/needs.js";
import { Note, Panel } from "../parts/panel.js";
import { GhostLines, GhostPage, PageProblem, PanelProblem } from "../parts/states.js";
import { Strip, StripLegend } from "../parts/strip.js";
import { isException } from "../parts/verdict.js";
import { usePhone } from "../parts/width.js";
import { useAnswer } from "../state/answers.js";
import { clock } from "../words/dates.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { many, text } from "../words/say.js";
import { AppsTable } from "./apps_table.js";
import { FirstDays } from "./first_days.js";
import { Lead } from "./lead.js";

/** @typedef {import("../api/answers.js").Health} Health */
/** @typedef {import("../api/answers.js").TableDates} TableDates */

const DATES = { wide: 30, phone: 15 };

export function AppsPage() {
  const health = /** @type {import("../state/answers.js").Answer<Health>} */ (useAnswer("health"));
  if (!health.data) return health.problem ? html`<${PageProblem} problem=${health.problem} />` : html`<${GhostPage} />`;
  if (health.data.first_days) return html`<${FirstDays} health=${health.data} days=${health.data.first_days} />`;
  return html`
    <${Lead} health=${health.data} />
    <div class="stack">
      <div class="columns home">
        <${HealthStrip} apps=${health.data.apps_known} />
        <${Needs} attention=${health.data.attention} />
      </div>
      <${AppsTable} />
      <${Note}>${words.apps.note}</${Note}>
    </div>
  `;
}

/** @param {{ apps: number }} props */
function HealthStrip({ apps }) {
  const [isAll, setAll] = useState(false);
  const isPhone = usePhone();
  const days = isPhone ? DATES.phone : DATES.wide;
  const { data, problem } = /** @type {import("../state/answers.js").Answer<TableDates>} */ (
    useAnswer(`tables?days=${DATES.wide}`)
  );
  const shown = data?.tables.filter((table) => isAll || table.is_main) ?? [];
  const exceptions = shown.flatMap((table) => table.cells.map((cell) => cell.verdict)).filter(isException);
  const checked = data?.checked_at ? text(words.strip.checked, { time: clock(data.checked_at) }) : "";
  const foot = html`
    <${StripLegend} verdicts=${exceptions} />
    <span class="grow"></span>
    ${
      data?.tables.some((table) => !table.is_main) &&
      html`
        <button type="button" class="button slim" aria-expanded=${isAll} onClick=${() => setAll(!isAll)}>
          ${isAll ? words.strip.showMain : text(words.strip.showAll, { n: whole(data.tables.length) })}
        </button>
      `
    }
  `;
  return html`
    <${Panel}
      title=${words.strip.title}
      beside=${`${many(words.strip.ofApps, apps, whole(apps))}, ${text(words.strip.dates, { n: days })}${checked}`}
      foot=${foot}
    >
      ${
        data
          ? html`<div class="body"><${Strip} ...${cut(data, shown, days)} isOneApp=${apps === 1} /></div>`
          : problem
            ? html`<${PanelProblem} problem=${problem} />`
            : html`<${GhostLines} lines=${10} />`
      }
    </${Panel}>
  `;
}

/**
 * Only the newest Dates of these tables.
 * @param {{ dates: string[] }} answer
 * @param {import("../api/answers.js").TableLine[]} tables
 * @param {number} days
 */
export function cut(answer, tables, days) {
  return {
    dates: answer.dates.slice(-days),
    tables: tables.map((table) => ({ ...table, cells: table.cells.slice(-days) })),
  };
}
