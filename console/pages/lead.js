/**
 * The summary in words, before any number: complete Dates, the last run, problems, and whether yesterday is complete.
 */

import { now } from "../api/client.js";
import { html } from "../parts/html.js";
import { weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { inWords, whole } from "../words/numbers.js";
import { listed, many, say, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").Health} Health */

/** @param {{ health: Health }} props */
export function Lead({ health }) {
  return html`
    <section class="lead" aria-label=${words.lead.label}>
      <h1>${complete(health)} ${lastRun(health)} <${Needed} health=${health} /></h1>
      <p><${IsYesterdayComplete} health=${health} /></p>
    </section>
  `;
}

/** @param {string} date */
const held = (date) => html`<span class="nowrap">${weekday(date)}</span>`;

/** @param {Health} health */
function complete(health) {
  const { apps_known: all, apps_complete: some, complete_until: until, most_until: most } = health;
  const isAll = some === all && until;
  const date = isAll ? until : most;
  if (!date) return many(words.lead.nothingComplete, all, whole(all));
  const downloads = health.until.find((table) => table.table_name === "downloads");
  const later = isAll ? downloads?.complete_until : downloads?.most_until;
  const tail = later && later > date ? words.lead.downloads : "";
  const head = isAll
    ? many(words.lead.all, all, whole(all))
    : text(words.lead.some, { some: whole(some), all: whole(all) });
  return say(`${head}${tail}.`, { date: held(date), downloads: later ? held(later) : "" });
}

/** @param {Health} health */
function lastRun(health) {
  const run = health.last_run;
  if (health.running) return words.lead.running;
  if (!run) return words.lead.noRun;
  const isToday = run.started_at.slice(0, 10) === new Date(now()).toISOString().slice(0, 10);
  const which = isToday ? words.lead.today : text(words.lead.ofDay, { date: weekday(run.started_at) });
  return text(run.status === "SUCCEEDED" ? words.lead.well : words.lead.failed, { run: which });
}

/** @param {{ health: Health }} props */
function Needed({ health }) {
  const apps = new Set(health.attention.map((each) => each.app_id).filter(Boolean)).size;
  if (apps) return html`<em>${many(words.lead.needYou, apps, inWords(apps))}</em>`;
  if (health.is_good) return words.lead.nothingNeeded;
  return html`<em>${health.needs[0] ? text(words.lead.needs, { what: health.needs[0].what }) : health.sentence}</em>`;
}

/** The tables that the summary names; the strip shows the others. */
const NAMED = ["downloads", "purchases", "engagement", "sessions", "crashes"];

/** @param {{ health: Health }} props */
function IsYesterdayComplete({ health }) {
  const { yesterday } = health;
  if (!yesterday) return null;
  const date = weekday(yesterday.day);
  if (yesterday.is_complete) return say(words.lead.yesterdayComplete, { yes: html`<b>${words.lead.yes}</b>`, date });
  const parts = yesterday.final_on.map(({ day, tables }, index) => {
    const known = NAMED.filter((name) => tables.includes(name));
    const named = known.length ? known : tables.slice(0, 2);
    const form = index ? words.lead.thenOn : many(words.lead.finalOn, named.length);
    return text(form, { tables: listed(named), date: weekday(day) });
  });
  const sentence = parts.length ? words.lead.yesterdayGrows : words.lead.yesterdayLacks;
  return say(sentence, { no: html`<b>${words.lead.notYet}</b>`, date, parts: parts.join(", ") });
}
