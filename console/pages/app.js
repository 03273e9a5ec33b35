/** One app: why data is missing, its figures over time, their sources, and the quality of its data. */

import { useEffect } from "preact/hooks";
import { appPath } from "../api/questions.js";
import { Choice } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { planAddress, RepairLink } from "../parts/needs.js";
import { Panel } from "../parts/panel.js";
import { GhostPage, PageProblem } from "../parts/states.js";
import { Strip, StripLegend } from "../parts/strip.js";
import { Badge, isException } from "../parts/verdict.js";
import { usePhone } from "../parts/width.js";
import { useAnswer } from "../state/answers.js";
import { setPageKeys } from "../state/keys.js";
import { choose, route } from "../state/route.js";
import { may } from "../state/session.js";
import { day, span, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { dimensionName, partName } from "../words/parts.js";
import { listed, many, text } from "../words/say.js";
import { Breakdown } from "./app_breakdown.js";
import { Figures } from "./app_figures.js";
import { Funnel } from "./app_funnel.js";
import { Retention } from "./app_retention.js";
import { Subscriptions } from "./app_subscriptions.js";
import { cut } from "./apps.js";

/** @typedef {import("../api/answers.js").AppDetails} AppDetails */
/** @typedef {import("../api/answers.js").Attention} Attention */
/** @typedef {import("../api/answers.js").KpiCatalogue} KpiCatalogue */

const DATES = 30;
export const PERIODS = /** @type {[string, string][]} */ ([
  ["7", words.app.periods.week],
  ["28", words.app.periods.month],
  ["90", words.app.periods.quarter],
  ["365", words.app.periods.year],
]);

/** The choices on the page, from the URL. */
function chosenView() {
  const { choices, id } = route.value;
  const days = Number(choices.get("days")) || 28;
  return {
    app: id,
    days: PERIODS.some(([each]) => each === String(days)) ? days : 28,
    compares: choices.get("compare") !== "off",
    where: choices.get("where") ?? "",
    metric: choices.get("metric") ?? "total_downloads",
  };
}

/** @typedef {ReturnType<typeof chosenView>} View */

/** @param {{ id: string }} props */
export function AppPage({ id }) {
  const app = /** @type {import("../state/answers.js").Answer<AppDetails>} */ (useAnswer(appPath(id, DATES)));
  const catalogue = /** @type {import("../state/answers.js").Answer<KpiCatalogue>} */ (
    useAnswer("kpis", { pace: 3_600_000 })
  );
  const view = chosenView();
  const name = app.data?.app_name || id;
  useEffect(() => {
    document.title = text(words.frame.title, { page: name });
  }, [name]);
  useEffect(() => {
    setPageKeys({ c: () => choose({ compare: chosenView().compares ? "off" : "" }) });
    return () => setPageKeys({});
  }, []);
  if (!app.data) return app.problem ? html`<${PageProblem} problem=${app.problem} />` : html`<${GhostPage} />`;
  const known = catalogue.data?.kpis ?? null;
  return html`
    <${Title} app=${app.data} view=${view} />
    ${app.data.why.map((why) => html`<${Why} why=${why} />`)}
    <p class="sentence">${finalUntil(app.data)} ${words.app.tilesCount}</p>
    <div class="stack">
      <${Figures} view=${view} known=${known} />
      <div class="columns two">
        <${Funnel} view=${view} known=${known} />
        <${Breakdown} view=${view} known=${known} />
      </div>
      <div class="columns two">
        <${Retention} view=${view} known=${known} />
        <${Subscriptions} view=${view} known=${known} />
      </div>
      <${Quality} app=${app.data} />
    </div>
  `;
}

/** @param {{ app: AppDetails, view: View }} props */
function Title({ app, view }) {
  return html`
    <nav class="crumb" aria-label=${words.app.crumb}><a href="#/apps">${words.apps.page}</a><span aria-hidden="true">/</span><span>${app.app_id}</span></nav>
    <div class="title">
      <h1><bdi>${app.app_name || app.app_id}</bdi></h1>
      <${Badge} verdict=${app.verdict} says=${badgeOf(app)} />
      <span class="grow"></span>
      <div class="tools">
        <${Choice}
          label=${words.app.period}
          options=${PERIODS}
          value=${String(view.days)}
          onChoose=${(/** @type {string} */ days) => choose({ days: days === "28" ? "" : days })}
        />
        <button
          type="button"
          class="button"
          aria-pressed=${view.compares}
          onClick=${() => choose({ compare: view.compares ? "off" : "" })}
        ><span aria-hidden="true">${view.compares ? "☑" : "☐"}</span> ${words.app.compare}</button>
        ${view.where && html`<${FilterChip} where=${view.where} />`}
        ${may("start runs") && html`<a class="button" href=${planAddress({ operation: "backfill", arguments: { app_ids: [app.app_id] } })}>${words.app.backfill}</a>`}
      </div>
    </div>
  `;
}

/** @param {{ where: string }} props */
function FilterChip({ where }) {
  const [dimension = "", value = ""] = where.split(/:(.*)/s);
  const says = `${dimensionName(dimension)}: ${partName(dimension, value)}`;
  return html`
    <button type="button" class="button" aria-label=${text(words.app.unfilter, { says })} onClick=${() => choose({ where: "" })}>
      <bdi>${says}</bdi> <span aria-hidden="true">×</span>
    </button>
  `;
}

/** @param {AppDetails} app */
function badgeOf(app) {
  const [why] = app.why;
  if (!why) return text(words.app.well, { verdict: app.verdict });
  if (!why.table_name) return app.verdict;
  const dates = why.first && why.last ? text(words.needs.ofDates, { dates: span(why.first, why.last) }) : "";
  return `${app.verdict}: ${why.table_name}${dates}`;
}

/** @param {{ why: Attention }} props */
function Why({ why }) {
  const dates = why.first && why.last ? text(words.needs.ofDates, { dates: span(why.first, why.last) }) : "";
  const about = why.table_name ? `${why.table_name}${dates}: ` : "";
  const ruledOut = why.ruled_out.length ? text(words.app.ruledOut, { causes: listed(why.ruled_out) }) : "";
  const kept = why.kept_until ? text(words.needs.keptUntil, { date: day(why.kept_until) }) : "";
  const next = why.repair && may("start runs") ? "" : text(words.app.next, { who: why.who, do: why.do });
  return html`
    <p class="callout why">
      <b>${words.app.why}</b> ${about}${why.reason} ${ruledOut} ${kept} ${next}
      ${" "}<${RepairLink} repair=${why.repair} first=${why.first} last=${why.last} kind="nowrap" />
    </p>
  `;
}

/** The most used tables; the strip below has all of them. */
const NAMED = ["downloads", "engagement", "sessions"];

/** @param {AppDetails} app */
function finalUntil(app) {
  const untils = app.tables.filter((table) => NAMED.includes(table.table_name) && table.complete_until);
  if (!untils.length) return words.app.nothingFinal;
  const parts = untils.map(({ table_name: table, complete_until: until }) =>
    text(words.app.untilOf, { date: weekday(until ?? ""), table }),
  );
  return text(words.app.finalUntil, { parts: listed(parts) });
}

/** @param {{ app: AppDetails }} props */
function Quality({ app }) {
  const days = usePhone() ? 15 : DATES;
  const tables = app.tables.filter((table) => table.cells.some((cell) => cell.verdict !== "none"));
  const exceptions = tables.flatMap((table) => table.cells.map((cell) => cell.verdict)).filter(isException);
  const restated = app.tables.flatMap((table) => table.cells).filter((cell) => cell.is_restated).length;
  return html`
    <${Panel}
      title=${words.app.quality}
      beside=${text(words.app.qualityOf, { n: days })}
      foot=${html`<${StripLegend} verdicts=${exceptions} /><span class="grow"></span><span>${many(words.app.restated, restated)}</span>`}
    >
      <div class="body"><${Strip} ...${cut(app, tables, days)} isOneApp=${true} /></div>
    </${Panel}>
  `;
}
