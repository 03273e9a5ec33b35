/** One run, during and after it: its progress, failures, timeline and proof. */

import { useEffect, useId, useState } from "preact/hooks";
import { now } from "../api/client.js";
import { Timeline } from "../charts/timeline.js";
import { html } from "../parts/html.js";
import { Note, Panel } from "../parts/panel.js";
import { runBadge, runTitle } from "../parts/run_words.js";
import { GhostPage, PageProblem } from "../parts/states.js";
import { useWidth } from "../parts/width.js";
import { useAnswer } from "../state/answers.js";
import { live } from "../state/live.js";
import { address } from "../state/route.js";
import { may } from "../state/session.js";
import { tipped } from "../state/tip.js";
import { clock, seconds as clockSeconds, duration } from "../words/dates.js";
import { words } from "../words/en.js";
import { short, whole } from "../words/numbers.js";
import { starter } from "../words/people.js";
import { many, say, text } from "../words/say.js";
import { Failures } from "./run_failures.js";
import { Grid } from "./run_grid.js";
import { Replaced } from "./run_replaced.js";
import { expectedRows, timeRows } from "./run_time.js";

/** @typedef {import("../api/answers.js").RunDetails} RunDetails */
/** @typedef {import("../api/answers.js").Stage} Stage */

/** @param {{ id: string }} props */
export function RunPage({ id }) {
  const { data: run, problem } = /** @type {import("../state/answers.js").Answer<RunDetails>} */ (
    useAnswer(`runs/${encodeURIComponent(id)}`)
  );
  const title = run ? runTitle(run) : id;
  useEffect(() => {
    document.title = text(words.frame.title, { page: run ? `${title}, ${statusWord(run)}` : title });
  }, [title, run?.status]);
  if (!run) return problem ? html`<${PageProblem} problem=${problem} />` : html`<${GhostPage} />`;
  return html`
    <nav class="crumb" aria-label=${words.app.crumb}><a href="#/runs">${words.runs.title}</a><span aria-hidden="true">/</span><span class="mono">${run.run_id}</span></nav>
    <div class="title">
      <h1>${title}</h1>
      ${runBadge(run).badge}
      <span class="grow"></span>
      <div class="tools"><${Links} run=${run} /><${RollBack} run=${run} /></div>
    </div>
    <p class="sentence" role="status"><${Sentence} run=${run} /></p>
    <div class="stack">
      ${run.stages.length > 0 && html`<section class="panel" aria-label=${words.run.stages}><div class="stages">${run.stages.map((stage) => html`<${StageBox} key=${stage.name} stage=${stage} />`)}</div></section>`}
      <${Failures} run=${run} />
      ${run.notices.length > 0 && html`<${Notices} run=${run} />`}
      ${
        run.stages.length > 0 &&
        html`
          <div class="columns two">
            <${Time} run=${run} />
            <${Proof} run=${run} />
          </div>
        `
      }
      <${Grid} run=${run} />
      <${Replaced} run=${run} />
    </div>
  `;
}

/** @param {RunDetails} run */
function statusWord(run) {
  return /** @type {Record<string, string>} */ (words.statuses)[run.status] ?? run.status.toLowerCase();
}

/** @param {RunDetails} run */
const isRunning = (run) => run.status === "RUNNING";

/** Seconds since the start; for a run under way they increase with the server's clock. @param {RunDetails} run */
function useElapsed(run) {
  const [, count] = useState(0);
  const counts = isRunning(run) && live.value !== "off";
  useEffect(() => {
    if (!counts) return;
    const timer = setInterval(() => count((number) => number + 1), 1000);
    return () => clearInterval(timer);
  }, [counts]);
  if (!isRunning(run)) return run.seconds ?? 0;
  const at = live.value === "off" ? Date.parse(run.as_of) : now();
  return Math.max(0, (at - Date.parse(run.started_at)) / 1000);
}

/** @param {{ run: RunDetails }} props */
function Sentence({ run }) {
  const elapsed = useElapsed(run);
  const started = text(words.run.started, { time: clockSeconds(run.started_at), by: starter(run.started_by) });
  const head = isRunning(run) ? words.run.running : words.run.took;
  const waits = isRunning(run) && run.cause ? text(words.run.waits, { cause: run.cause }) : "";
  return html`${say(head, { duration: html`<b>${duration(elapsed)}</b>`, started })} ${progress(run)} ${outcome(run)} ${waits}`;
}

/** The number of failed apps; if the run failed as a whole, the reason. @param {RunDetails} run */
function outcome(run) {
  const failed = run.apps_failed ?? 0;
  const forms = isRunning(run) ? words.run.failedSoFar : words.run.failed;
  if (failed) return html`<b>${many(forms, failed, whole(failed))}</b>`;
  if (isRunning(run)) return words.run.noneFailed;
  return run.status === "SUCCEEDED" ? words.run.allWell : html`<b>${run.cause}</b>`;
}

/** The current stage of the run. @param {RunDetails} run */
function progress(run) {
  const stage = run.stages.find((each) => each.state === "running");
  if (!stage?.total || !isRunning(run)) return "";
  return text(words.run.at, {
    done: whole(stage.done),
    total: whole(stage.total),
    unit: unitOf(stage),
    stage: stageName(stage),
  });
}

/** @param {Stage} stage */
export function stageName(stage) {
  return /** @type {Record<string, string>} */ (words.run.stageNames)[stage.name] ?? stage.name;
}

/** @param {Stage} stage */
function unitOf(stage) {
  return /** @type {Record<string, string>} */ (words.run.units)[stage.unit] ?? stage.unit;
}

const STAGE_MARKS = /** @type {Record<string, [string, string]>} */ ({
  done: ["✓", "good"],
  running: ["▶", "running"],
  waiting: ["…", "calm"],
});

/** @param {{ stage: Stage }} props */
function StageBox({ stage }) {
  const [sign, family] = STAGE_MARKS[stage.state] ?? ["·", "calm"];
  const share = stage.total ? stage.done / stage.total : stage.state === "done" ? 1 : 0;
  const bad = stage.total ? Math.min(stage.failed / stage.total, share) : 0;
  const word = /** @type {Record<string, string>} */ (words.run.states)[stage.state] ?? stage.state;
  return html`
    <div class="stage" data-state=${stage.state}>
      <div class="name"><span class=${`mark family-${family}`} aria-hidden="true">${sign}</span><b>${stageName(stage)}</b><span class="quiet">${word}</span></div>
      <div class="figure">${amount(stage)}</div>
      <div
        class="meter"
        role="progressbar"
        aria-label=${stageName(stage)}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.round(share * 100)}
      >
        <span class=${stage.state === "done" ? "done" : ""} style=${{ width: `${(share - bad) * 100}%` }}></span>
        ${bad > 0 && html`<span class="failed" style=${{ width: `max(3px, ${bad * 100}%)` }}></span>`}
      </div>
      <span class="quiet small">${stageNote(stage)}</span>
    </div>
  `;
}

/** @param {Stage} stage */
function amount(stage) {
  if (!stage.total && stage.state !== "waiting")
    return stage.state === "done" ? text(words.run.no, { unit: unitOf(stage) }) : "";
  const unit = html`<span class="unit">${text(words.run.of, { total: whole(stage.total), unit: unitOf(stage) })}</span>`;
  if (stage.state === "waiting")
    return stage.total
      ? text(words.run.wait, { total: whole(stage.total), unit: unitOf(stage) })
      : words.run.states.waiting;
  return html`${whole(stage.done)} ${unit}`;
}

/** @param {Stage} stage */
function stageNote(stage) {
  const took =
    stage.started_at && stage.ended_at
      ? duration((Date.parse(stage.ended_at) - Date.parse(stage.started_at)) / 1000)
      : "";
  const failed = stage.failed ? text(words.run.someFailed, { n: whole(stage.failed) }) : "";
  return [took, failed].filter(Boolean).join(" · ");
}

/** @param {{ run: RunDetails }} props */
function Links({ run }) {
  const { console: execution } = run.links;
  return execution
    ? html`<a class="button slim" href=${execution} target="_blank" rel="noreferrer">${words.run.execution}</a>`
    : null;
}

/** @param {{ run: RunDetails }} props */
function RollBack({ run }) {
  if (!may("start runs")) return null;
  const reason = isRunning(run) ? words.run.rollbackWhenEnded : live.value === "off" ? words.live.waits : "";
  if (reason)
    return html`<button type="button" class="button slim" aria-disabled="true" ...${tipped(reason)}>${words.run.rollBack}</button>`;
  return html`<a class="button slim danger" href=${address("runs", { start: "rollback", run_id: run.run_id })}>${words.run.rollBack}</a>`;
}

/** @param {{ run: RunDetails }} props */
function Notices({ run }) {
  return html`
    <${Panel} title=${words.run.notices}>
      <div class="body stack">${run.notices.map(({ notice }) => html`<${Note}>${notice}</${Note}>`)}</div>
    </${Panel}>
  `;
}

/** @param {{ run: RunDetails }} props */
function Time({ run }) {
  const [element, width] = useWidth();
  const id = useId();
  const elapsed = useElapsed(run);
  const rows = [...timeRows(run, elapsed, stageName), ...expectedRows(run, stageName)];
  const foot =
    run.calls &&
    html`
    <span>${text(words.run.quota, {
      used: whole(run.calls.used_this_hour),
      all: whole(run.calls.per_hour),
      left: whole(run.calls.left),
    })}${run.calls.more_at && isRunning(run) ? text(words.run.moreAt, { time: clock(run.calls.more_at) }) : ""}</span>
  `;
  return html`
    <${Panel} title=${words.run.time} beside=${rows.some((row) => row.stretches.some((each) => each.kind === "wait")) ? words.run.hatched : ""} foot=${foot}>
      <div class="body"><div ref=${element}>${width > 0 && html`<${Timeline} rows=${rows} total=${elapsed} now=${isRunning(run) ? elapsed : null} width=${width} id=${`time-${id}`} />`}</div></div>
    </${Panel}>
  `;
}

/** @param {{ run: RunDetails }} props */
function Proof({ run }) {
  const w = words.proof;
  const { proof, calls } = run;
  if (!proof) return null;
  const isVerified = run.stages.find((stage) => stage.name === "verify")?.state === "done";
  const fact = (/** @type {string} */ name, /** @type {string} */ value, /** @type {any} */ beside) =>
    html`<div><dt>${name}</dt><dd>${value} <small>${beside}</small></dd></div>`;
  const equal = (/** @type {boolean} */ holds) =>
    holds ? html`· <span class="equal">✓ ${w.equal}</span>` : html`· <span class="different">✗ ${w.different}</span>`;
  return html`
    <${Panel} title=${w.title} beside=${isVerified ? "" : w.grows} foot=${html`<span>${w.note}</span>`}>
      <div class="body">
        <dl class="facts pairs">
          ${fact(w.files, short(proof.rows_raw), proof.rows_dropped ? text(w.dropped, { n: short(proof.rows_dropped) }) : w.rows)}
          ${fact(w.converted, short(proof.rows_converted), html`${w.rows} ${equal(proof.rows_raw - proof.rows_dropped === proof.rows_converted)}`)}
          ${fact(w.written, proof.rows_published ? short(proof.rows_published) : "–", w.rows)}
          ${fact(w.counted, isVerified ? short(proof.rows_athena) : "–", isVerified ? html`${w.rows} ${equal(proof.rows_published === proof.rows_athena)}` : w.afterVerify)}
          ${calls && fact(w.calls, whole(calls.made), "")} ${fact(w.dates, whole(proof.dates_published), "")}
        </dl>
      </div>
    </${Panel}>
  `;
}
