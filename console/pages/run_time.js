/** The rows of a run's timeline, in seconds since its start. */

import { seconds as clockSeconds, duration } from "../words/dates.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";

/** @typedef {import("../api/answers.js").RunDetails} RunDetails */
/** @typedef {import("../api/answers.js").Stage} Stage */
/** @typedef {import("../charts/timeline.js").TimelineRow} TimelineRow */
/** @typedef {import("../charts/timeline.js").Stretch} Stretch */

/**
 * Stages that have started.
 * @param {RunDetails} run
 * @param {number} elapsed
 * @param {(stage: Stage) => string} nameOf
 * @returns {TimelineRow[]}
 */
export function timeRows(run, elapsed, nameOf) {
  const since = (/** @type {string} */ instant) => (Date.parse(instant) - Date.parse(run.started_at)) / 1000;
  return run.stages.flatMap((stage) => {
    if (!stage.started_at) return [];
    const from = Math.max(0, since(stage.started_at));
    const to = Math.max(from, stage.ended_at ? since(stage.ended_at) : elapsed);
    const waits = stage.waits.map((wait) => ({
      from: Math.max(from, since(wait.since)),
      to: Math.min(to, since(wait.until)),
      kind: /** @type {const} */ ("wait"),
      says: text(words.run.waited, {
        duration: duration((Date.parse(wait.until) - Date.parse(wait.since)) / 1000),
        for: wait.waits_for,
      }),
    }));
    return [{ name: nameOf(stage), stretches: between(stage, from, to, waits), took: duration(to - from) }];
  });
}

/**
 * Work between the waits.
 * @param {Stage} stage
 * @param {number} from
 * @param {number} to
 * @param {Stretch[]} waits
 * @returns {Stretch[]}
 */
function between(stage, from, to, waits) {
  const says = text(words.run.worked, {
    from: stage.started_at ? clockSeconds(stage.started_at) : "",
    to: stage.ended_at ? clockSeconds(stage.ended_at) : words.run.now,
  });
  /** @type {Stretch[]} */
  const found = [];
  let at = from;
  for (const wait of waits.filter((each) => each.to > each.from).sort((a, b) => a.from - b.from)) {
    if (wait.from > at) found.push({ from: at, to: wait.from, kind: "work", says });
    found.push(wait);
    at = wait.to;
  }
  if (to > at || !found.length) found.push({ from: at, to, kind: "work", says });
  return found;
}

/**
 * Future stages: only their names, without estimates.
 * @param {RunDetails} run
 * @param {(stage: Stage) => string} nameOf
 * @returns {TimelineRow[]}
 */
export function expectedRows(run, nameOf) {
  return run.stages
    .filter((stage) => !stage.started_at)
    .map((stage) => ({ name: nameOf(stage), stretches: [], took: "" }));
}
