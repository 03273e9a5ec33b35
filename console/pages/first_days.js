/**
 * The first days: the deployment is done and Apple builds the first reports. Shows past and future steps with dates.
 */

import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { address } from "../state/route.js";
import { may } from "../state/session.js";
import { day, moment, plusDays, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { many, say, text } from "../words/say.js";
import { AppsTable } from "./apps_table.js";

/** @typedef {import("../api/answers.js").Health} Health */
/** @typedef {import("../api/answers.js").FirstDays} Days */

/** @param {{ health: Health, days: Days }} props */
export function FirstDays({ health, days }) {
  const apps = many(words.firstDays.apps, health.apps_known, whole(health.apps_known));
  const expected = days.first_numbers_from && days.first_numbers_until;
  return html`
    <section class="lead" aria-label=${words.lead.label}>
      <h1>${expected ? words.firstDays.title : words.firstDays.notRegistered}</h1>
      <p>
        ${
          expected
            ? say(words.firstDays.sentence, {
                apps,
                when: days.registered_at ? text(words.firstDays.at, { time: moment(days.registered_at) }) : "",
                from: html`<b>${weekday(days.first_numbers_from ?? "")}</b>`,
                until: html`<b>${weekday(days.first_numbers_until ?? "")}</b>`,
              })
            : words.firstDays.firstRun
        }
      </p>
    </section>
    <div class="stack">
      <${Panel} title=${words.firstDays.steps}>
        <div class="body"><ol class="steps">${steps(days).map((step) => html`<${Step} ...${step} />`)}</ol></div>
      </${Panel}>
      ${health.apps_known > 0 && html`<${AppsTable} />`}
    </div>
  `;
}

/** @param {Days} days */
function steps(days) {
  const { registered_at: registered, first_numbers_from: from, first_numbers_until: until } = days;
  const w = words.firstDays;
  const done = { sign: "✓", family: "good" };
  const coming = { sign: "…", family: "calm" };
  return [
    { ...done, name: w.deployed, says: w.deployedSays, when: "" },
    {
      ...(registered ? done : coming),
      name: w.registered,
      says: many(w.registeredSays, days.requests, whole(days.requests)),
      when: registered ? moment(registered) : "",
    },
    {
      ...coming,
      name: w.reports,
      says: w.reportsSays,
      when: from && until ? text(w.between, { from: day(from), until: day(until) }) : "",
    },
    {
      ...coming,
      name: w.final,
      says: w.finalSays,
      when: until ? text(w.about, { date: day(plusDays(until, 1)) }) : "",
    },
    { sign: "?", family: "wait", name: w.history, says: w.historySays, when: w.whenever, canPlan: true },
  ];
}

/** @param {{ sign: string, family: string, name: string, says: string, when: string, canPlan?: boolean }} props */
function Step({ sign, family, name, says, when, canPlan }) {
  const plan =
    canPlan &&
    may("start runs") &&
    html`<a class="inline-link" href=${address("runs", { start: "backfill" })}>${words.firstDays.plan}</a>`;
  return html`
    <li>
      <span class=${`mark family-${family}`} aria-hidden="true">${sign}</span>
      <span><b>${name}</b><br /><span class="soft">${says} ${plan}</span></span>
      <span class="quiet nowrap">${when}</span>
    </li>
  `;
}
