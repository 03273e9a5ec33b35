/** Placeholders for missing answers: loading, no answer, not allowed, not found, empty. */

import { useEffect, useState } from "preact/hooks";
import { contactAt } from "../state/answers.js";
import { live, nextTryAt, wake } from "../state/live.js";
import { session } from "../state/session.js";
import { clock } from "../words/dates.js";
import { words } from "../words/en.js";
import { say, text } from "../words/say.js";
import { html } from "./html.js";

const PATIENCE = 400;

/** Whether loading takes so long that a frame should be shown. */
function useLate() {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, []);
  return isLate;
}

/** A bar in place of a text. @param {{ width: string }} props */
function Ghost({ width }) {
  return html`<span class="ghost" style=${{ width }}></span>`;
}

const WIDTHS = ["88%", "72%", "80%", "64%", "76%"];

/**
 * The frame of a panel with the size of its answer, before or during loading.
 * @param {{ lines?: number, isAsked?: boolean }} props
 */
export function GhostLines({ lines = 5, isAsked = true }) {
  const isLate = useLate();
  const rows = Array.from({ length: lines }, (_, index) => WIDTHS[index % WIDTHS.length]);
  return html`
    <div class="body stack" aria-busy=${isAsked}>
      <span class="unseen" role="status">${isLate && isAsked ? words.states.loading : ""}</span>
      ${rows.map((width) => html`<div class=${isLate ? "" : "invisible"}><${Ghost} width=${width} /></div>`)}
    </div>
  `;
}

/** The frame of a whole page. */
export function GhostPage() {
  const isLate = useLate();
  return html`
    <div class=${isLate ? "" : "invisible"} aria-busy="true">
      <span class="unseen" role="status">${isLate ? words.states.loading : ""}</span>
      <section class="lead">
        <h1><${Ghost} width="min(32rem, 80%)" /></h1>
        <p><${Ghost} width="min(26rem, 70%)" /></p>
      </section>
      <section class="panel"><div class="head"><${Ghost} width="140px" /></div><${GhostLines} /></section>
    </div>
  `;
}

/**
 * In place of a failed answer, within a panel.
 * @param {{ problem: import("../api/problem.js").Problem }} props
 */
export function PanelProblem({ problem }) {
  return html`
    <div class="body" role="alert">
      <p>${problem.detail || words.states.noAnswer}</p>
      ${problem.isOutage && html`<p><button type="button" class="button slim" onClick=${wake}>${words.states.tryAgain}</button></p>`}
    </div>
  `;
}

/**
 * In place of a whole page.
 * @param {{ problem: import("../api/problem.js").Problem, whatElse?: import("preact").ComponentChild }} props
 */
export function PageProblem({ problem, whatElse }) {
  if (problem.status === 404) return html`<${NotThere} detail=${problem.detail} />`;
  if (problem.status === 403) return html`<${Forbidden} detail=${problem.detail} />`;
  if (problem.isOutage) return html`<${NoAnswer} problem=${problem} />`;
  return html`<${Card} title=${problem.detail || words.states.noAnswer}>${whatElse}</${Card}>`;
}

/** @param {{ title: string, above?: any, children?: any }} props */
export function Card({ title, above, children }) {
  return html`
    <div class="center">
      <div class="card wide panel">
        ${above && html`<span class="verdict">${above}</span>`}
        <h1>${title}</h1>
        ${children}
      </div>
    </div>
  `;
}

/** @param {{ problem: import("../api/problem.js").Problem }} props */
function NoAnswer({ problem }) {
  const status = problem.status || words.states.noConnection;
  const request = problem.request ? text(words.states.request, { request: problem.request }) : "";
  const since = contactAt.value
    ? text(words.states.lastAnswer, { time: clock(new Date(contactAt.value).toISOString()) })
    : "";
  return html`
    <${Card}
      title=${words.states.down}
      above=${html`<span class="mark family-bad" aria-hidden="true">■</span><span class="quiet">${status}${request}</span>`}
    >
      <p class="soft">${words.states.downWhy} ${since}</p>
      <div class="tools">
        <button type="button" class="button main" onClick=${wake}>${words.states.tryAgain}</button>
        <span class="quiet"><${NextTry} /></span>
      </div>
      <div class="callout calm">
        ${say(words.states.meanwhile, {
          runs: html`<span class="mono">./manage.py runs</span>`,
          gaps: html`<span class="mono">./manage.py gaps</span>`,
          freshness: html`<span class="mono">./manage.py freshness</span>`,
        })}
      </div>
    </${Card}>
  `;
}

/** "by itself in 14 s", counted down. */
export function NextTry() {
  const [, count] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => count((number) => number + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(1, Math.ceil((nextTryAt.value - Date.now()) / 1000));
  if (live.value === "live" && !nextTryAt.value) return null;
  return nextTryAt.value ? text(words.states.byItself, { seconds }) : words.states.trying;
}

/** @param {{ detail: string }} props */
function Forbidden({ detail }) {
  const role = session.value?.role ?? "";
  return html`
    <${Card}
      title=${words.states.forbidden}
      above=${html`<span class="mark family-calm" aria-hidden="true">–</span><span class="quiet">${text(words.states.yourRole, { role })}</span>`}
    >
      <p class="soft">${detail} ${words.states.askAdmin}</p>
      <div class="tools"><a class="button" href="#/apps">${words.states.toApps}</a></div>
    </${Card}>
  `;
}

/** @param {{ detail: string }} props */
function NotThere({ detail }) {
  return html`
    <${Card} title=${detail || words.states.notThere}>
      <div class="tools"><a class="button" href="#/apps">${words.states.toApps}</a></div>
    </${Card}>
  `;
}

/**
 * A table without a row.
 * @param {{ columns: number, says: string, children?: any }} props
 */
export function NothingRow({ columns, says, children }) {
  return html`<tr class="nothing"><td colspan=${columns}><p>${says}</p>${children}</td></tr>`;
}
