/** Answers of the API, shared by all components that need them, and kept while they are requested again. */

import { batch, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ask, now } from "../api/client.js";
import { Problem } from "../api/problem.js";

/**
 * @template T
 * @typedef {object} Answer
 * @property {T | null} data the newest answer; stays when asking again fails
 * @property {Problem | null} problem why the last question got none
 * @property {boolean} isAsking
 * @property {boolean} isOld whether `data` answers an earlier question, such as another filter
 */

/**
 * @typedef {object} Entry
 * @property {import("@preact/signals").Signal<Answer<any>>} answer
 * @property {number} users
 * @property {number} askedAt
 * @property {number} pace the least time between two automatic requests, in milliseconds
 * @property {boolean} isDue asked again when its pace allows
 */

const KEPT = 60;
/** @type {Map<string, Entry>} */
const entries = new Map();

/** The server's time of the last contact: an answer, a nudge or the echo of a ping. */
export const contactAt = signal(0);

/** The same time on this machine's clock, from which its age is computed. */
let contactHere = Date.now();

/** The time since the last contact, in milliseconds. */
export function silence() {
  return Date.now() - contactHere;
}

/** The number of failed requests in a row. */
export const outages = signal(0);

export function noteContact() {
  contactHere = Date.now();
  batch(() => {
    contactAt.value = now();
    outages.value = 0;
  });
}

/** @type {Answer<any>} */
const NOTHING = { data: null, problem: null, isAsking: false, isOld: false };

/**
 * An answer of the API, requested on first use and again whenever something changed. While the answer to another
 * question is loading, the previous one is shown, marked as old.
 * @template T
 * @param {string | null} path nothing is asked without one
 * @param {{ pace?: number }} [options]
 * @returns {Answer<T>}
 */
export function useAnswer(path, { pace = 1500 } = {}) {
  const former = useRef(/** @type {T | null} */ (null));
  const entry = path === null ? null : entryOf(path, pace);
  useEffect(() => (path === null ? undefined : useEntry(path, pace)), [path, pace]);
  if (!entry) return NOTHING;
  const answer = /** @type {Answer<T>} */ (entry.answer.value);
  if (answer.data !== null) former.current = answer.data;
  if (answer.data !== null || answer.problem || former.current === null) return answer;
  return { ...answer, data: former.current, isOld: true };
}

/** @param {string} path @param {number} pace @returns {Entry} */
function entryOf(path, pace) {
  let entry = entries.get(path);
  if (!entry) {
    entry = { answer: signal({ ...NOTHING, isAsking: true }), users: 0, askedAt: 0, pace, isDue: false };
    entries.set(path, entry);
  }
  return entry;
}

/** @param {string} path @param {number} pace */
function useEntry(path, pace) {
  const entry = entryOf(path, pace);
  entry.users += 1;
  // an answer that was used a moment ago can be used again
  if (performance.now() - entry.askedAt > Math.max(entry.pace, 1500) || !entry.askedAt) askEntry(path, entry);
  return () => {
    entry.users -= 1;
    forgetUnused();
  };
}

function forgetUnused() {
  for (const [path, entry] of entries) {
    if (entries.size <= KEPT) return;
    if (!entry.users) entries.delete(path);
  }
}

/** @param {string} path @param {Entry} entry */
async function askEntry(path, entry) {
  const askedAt = performance.now();
  entry.askedAt = askedAt;
  entry.isDue = false;
  entry.answer.value = { ...entry.answer.value, isAsking: true };
  try {
    const data = await ask(path);
    noteContact();
    // of two concurrent requests the later one counts
    if (entry.askedAt === askedAt) entry.answer.value = { data, problem: null, isAsking: false, isOld: false };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.isOutage) outages.value += 1;
    else noteContact();
    if (entry.askedAt === askedAt) entry.answer.value = { ...entry.answer.value, ...failed(entry, problem) };
  }
}

/** An outage keeps the figures; a refusal or a 404 removes them. @param {Entry} entry @param {Problem} problem */
function failed(entry, problem) {
  return { data: problem.isOutage ? entry.answer.value.data : null, problem, isAsking: false };
}

/** Request everything on the page again, each answer at its own pace. */
export function askAgain() {
  for (const [path, entry] of entries) {
    if (!entry.users) entry.askedAt = 0;
    else if (!entry.isDue) askWhenDue(path, entry);
  }
}

/** @param {string} path @param {Entry} entry */
function askWhenDue(path, entry) {
  entry.isDue = true;
  const wait = Math.max(0, entry.askedAt + entry.pace - performance.now());
  setTimeout(() => entry.isDue && entry.users && askEntry(path, entry), wait);
}

/** Request everything on the page at once: a button was pressed, or an action was done. */
export function askNow() {
  return Promise.all([...entries].filter(([, entry]) => entry.users).map(([path, entry]) => askEntry(path, entry)));
}

/** Remove all answers: another person signs in. */
export function forgetAnswers() {
  entries.clear();
}
