/** Runs: the last thirty as bars, all of them in a list, and the button that starts one. */

import { useEffect, useId } from "preact/hooks";
import { RunBars } from "../charts/run_bars.js";
import { Chip } from "../parts/choice.js";
import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { operationName, runBadge } from "../parts/run_words.js";
import { GhostLines, GhostPage, NothingRow, PageProblem, PanelProblem } from "../parts/states.js";
import { useWidth } from "../parts/width.js";
import { useAnswer } from "../state/answers.js";
import { setPageKeys } from "../state/keys.js";
import { live } from "../state/live.js";
import { address, choose, go, route, withChoices } from "../state/route.js";
import { may } from "../state/session.js";
import { tipped } from "../state/tip.js";
import { day, duration, seconds, weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { short, UNKNOWN, whole } from "../words/numbers.js";
import { starter } from "../words/people.js";
import { many, text } from "../words/say.js";
import { StartDialog } from "./start_dialog.js";

/** @typedef {import("../api/answers.js").RunList} RunList */
/** @typedef {import("../api/answers.js").RunLine} RunLine */
/** @typedef {import("../api/answers.js").Health} Health */

const ROWS = 25;
const BARS = 30;
const OPERATIONS = ["daily", "backfill", "reprocess", "refetch", "rollback"];

/** @param {RunLine} run */
const isRunning = (run) => run.status === "RUNNING";

export function RunsPage() {
  const newest = /** @type {import("../state/answers.js").Answer<RunList>} */ (
    useAnswer(`runs?operation=daily&limit=${BARS}`)
  );
  const running = /** @type {import("../state/answers.js").Answer<Health>} */ (useAnswer("health")).data?.running;
  const canStart = may("start runs");
  useEffect(() => {
    setPageKeys(canStart ? { n: openStart } : {});
    return () => setPageKeys({});
  }, [canStart]);
  if (!newest.data) return newest.problem ? html`<${PageProblem} problem=${newest.problem} />` : html`<${GhostPage} />`;
  const start = route.value.choices.get("start");
  return html`
    <div class="title">
      <h1>${words.runs.title}</h1>
      <span class="grow"></span>
      ${!canStart && html`<span class="quiet">${words.runs.whyNot}</span>`}
      <${StartButton} canStart=${canStart} />
    </div>
    <p class="sentence">${sentenceOf(newest.data, running ?? null)}</p>
    <div class="stack">
      <${LastRuns} runs=${newest.data.runs} />
      <${List} />
    </div>
    ${start !== null && canStart && html`<${StartDialog} first=${start} />`}
  `;
}

function openStart() {
  choose({ start: "daily" });
}

/** @param {{ canStart: boolean }} props */
function StartButton({ canStart }) {
  const reason = canStart ? (live.value === "off" ? words.live.waits : "") : words.runs.whyNot;
  if (reason)
    return html`<button type="button" class="button" aria-disabled="true" ...${tipped(reason)}>${words.runs.start}</button>`;
  return html`<button type="button" class="button main" onClick=${openStart}>${words.runs.start} <kbd class="only-wide" aria-hidden="true">n</kbd></button>`;
}

/** @param {RunList} list @param {RunLine | null} running */
function sentenceOf(list, running) {
  const ended = list.runs.filter((run) => !isRunning(run));
  const well = ended.filter((run) => run.status === "SUCCEEDED").length;
  const first = running ? text(words.runs.underWay, { operation: operationName(running.operation).toLowerCase() }) : "";
  const past = ended.length ? text(words.runs.ofTheLast, { all: ended.length, well }) : words.runs.none;
  const next = list.next_run_at
    ? text(words.runs.next, { date: weekday(list.next_run_at), time: seconds(list.next_run_at).slice(0, 5) })
    : "";
  return [first, past, next].filter(Boolean).join(" ");
}

/** @param {{ runs: RunLine[] }} props */
function LastRuns({ runs }) {
  const [element, width] = useWidth();
  const id = useId();
  const bars = runs.toReversed().map(barOf);
  const failed = runs.filter((run) => run.status !== "SUCCEEDED" && !isRunning(run)).map((run) => day(run.started_at));
  const label = text(words.runs.barsLabel, { n: bars.length, failed: failed.join(", ") || words.runs.noneFailed });
  const open = (/** @type {string} */ run) => go(address(`runs/${run}`));
  return html`
    <${Panel} title=${many(words.runs.last, runs.length)} beside=${words.runs.barsSay}>
      <div class="body"><div ref=${element}>
        ${width > 0 && html`<${RunBars} bars=${bars} label=${label} width=${width} height=${112} id=${`bars-${id}`} onOpen=${open} />`}
      </div></div>
    </${Panel}>
  `;
}

/** @param {RunLine} run @returns {import("../charts/run_bars.js").RunBar} */
function barOf(run) {
  const state = isRunning(run) ? "running" : run.status === "SUCCEEDED" ? "well" : "failed";
  const waited = run.waited_seconds ?? 0;
  const took = run.seconds === null ? "" : `, ${duration(run.seconds)}`;
  return {
    id: run.run_id,
    date: day(run.started_at),
    seconds: run.seconds ?? 0,
    waited,
    state,
    verdict: run.worst_verdict,
    says: html`
      <p><b>${operationName(run.operation)}, ${weekday(run.started_at)}</b></p>
      <p>${/** @type {Record<string, string>} */ (words.statuses)[run.status] ?? run.status}${took}</p>
      ${waited > 0 && html`<p class="soft">${text(words.runs.ofWhich, { duration: duration(waited) })}</p>`}
      ${run.cause && html`<p class="soft">${run.cause}</p>`}
    `,
  };
}

function List() {
  const { choices } = route.value;
  const query = new URLSearchParams({ limit: String(ROWS) });
  for (const [name, value] of [
    ["operation", choices.get("operation")],
    ["status", choices.get("status")],
    ["cursor", choices.get("page")],
  ]) {
    if (name && value) query.set(name, value);
  }
  const { data, problem, isOld } = /** @type {import("../state/answers.js").Answer<RunList>} */ (
    useAnswer(`runs?${query}`)
  );
  return html`
    <${Panel}
      title=${words.runs.list}
      tools=${data && html`<${Filters} counts=${data.counts} />`}
      foot=${data && html`<${Pages} list=${data} offset=${Number(choices.get("from") ?? 0)} />`}
      isBusy=${isOld}
    >
      ${data ? html`<${Table} runs=${data.runs} />` : problem ? html`<${PanelProblem} problem=${problem} />` : html`<${GhostLines} lines=${10} />`}
    </${Panel}>
  `;
}

/** @param {{ counts: Record<string, number> }} props */
function Filters({ counts }) {
  const { choices } = route.value;
  const operation = choices.get("operation") ?? "";
  const status = choices.get("status") ?? "";
  const chip = (
    /** @type {boolean} */ isOn,
    /** @type {Record<string, string>} */ change,
    /** @type {any} */ word,
    /** @type {number} */ count,
  ) => html`
    <${Chip} isOn=${isOn} onToggle=${() => choose({ operation: "", status: "", page: "", from: "", ...(isOn ? {} : change) })}>${word} <b>${whole(count)}</b></${Chip}>
  `;
  return html`
    <div class="chips" role="group" aria-label=${words.runs.filter}>
      ${chip(!operation && !status, {}, words.apps.all, counts.all ?? 0)}
      ${(counts.failed ?? 0) > 0 && chip(status === "failed", { status: "failed" }, html`<span class="mark family-bad" aria-hidden="true">✗</span>${words.runs.failed}`, counts.failed ?? 0)}
      ${OPERATIONS.filter((name) => counts[name]).map((name) => chip(operation === name, { operation: name }, operationName(name), counts[name] ?? 0))}
    </div>
  `;
}

/** @param {{ runs: RunLine[] }} props */
function Table({ runs }) {
  const w = words.runs;
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${w.list}>
      <table class="runs listed">
        <caption class="unseen">${w.caption}</caption>
        <thead>
          <tr>
            <th scope="col">${w.status}</th><th scope="col">${w.run}</th><th scope="col">${w.started}</th>
            <th scope="col" class="number">${w.took}</th><th scope="col" class="number">${w.well}</th>
            <th scope="col" class="number">${w.files}</th><th scope="col" class="number">${w.rows}</th>
            <th scope="col" class="number">${w.dates}</th><th scope="col" class="number">${w.calls}</th><th scope="col">${w.by}</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map((run) => html`<${Row} key=${run.run_id} run=${run} />`)}
          ${!runs.length && html`<${NothingRow} columns=${10} says=${w.noneSo}><p><a class="button slim" href=${withChoices({ operation: "", status: "", page: "" })}>${words.apps.clear}</a></p></${NothingRow}>`}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {{ run: RunLine }} props */
function Row({ run }) {
  const well =
    run.apps !== null && run.apps_failed !== null
      ? text(words.strip.of, { some: whole(run.apps - run.apps_failed), all: whole(run.apps) })
      : UNKNOWN;
  return html`
    <tr>
      <td>${runBadge(run).badge}</td>
      <td class="wraps what"><a href=${address(`runs/${run.run_id}`)}><b>${operationName(run.operation)}</b></a>${run.cause && !isRunning(run) && html`<div class="soft small">${run.cause}</div>`}</td>
      <td class="when">${weekday(run.started_at)} <span class="quiet">${seconds(run.started_at)}</span></td>
      <td class="number">${run.seconds === null ? UNKNOWN : duration(run.seconds)}</td>
      <td class="number well-apps">${well}</td>
      <td class="number further">${whole(run.files)}</td>
      <td class="number further">${short(run.rows_raw)}</td>
      <td class="number further">${whole(run.dates_published)}</td>
      <td class="number further">${whole(run.apple_calls)}</td>
      <td class="soft further by">${starter(run.started_by)}</td>
    </tr>
  `;
}

/** @param {{ list: RunList, offset: number }} props */
function Pages({ list, offset }) {
  const to = offset + list.runs.length;
  const step = (
    /** @type {string} */ cursor,
    /** @type {number} */ from,
    /** @type {string} */ word,
    /** @type {boolean} */ can,
  ) =>
    html`<button type="button" class="button slim" disabled=${!can} onClick=${() => choose({ page: cursor, from: from ? String(from) : "" })}>${word}</button>`;
  return html`
    <span role="status">${list.runs.length ? text(words.runs.range, { from: whole(offset + 1), to: whole(to), total: whole(list.total) }) : words.runs.zero}</span>
    <span class="grow"></span>
    ${step(list.previous, Math.max(0, offset - ROWS), words.apps.previous, offset > 0)} ${step(list.next, to, words.apps.next, Boolean(list.next))}
  `;
}
