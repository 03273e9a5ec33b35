/** What the API answered, shared by everything on the page that asks the same, and kept while it is asked again. */

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
 * @property {number} pace the least time between two questions that nobody asked for, in milliseconds
 * @property {boolean} isDue asked again when its pace allows
 */

const KEPT = 60;
/** @type {Map<string, Entry>} */
const entries = new Map();

/** The server's time of the last sign of life: an answer, a nudge or a ping's echo. */
export const contactAt = signal(0);

/** The same moment on this machine's clock, by which its age is told. */
let contactHere = Date.now();

/** How long ago the last sign of life was, in milliseconds. */
export function silence() {
  return Date.now() - contactHere;
}

/** How many questions in a row got no answer. */
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
 * The answer to a question of the API, asked when it is first needed and again whenever something changed.
 * While another question's answer is awaited, the former one is shown, marked as old.
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
  // an answer that somebody left a moment ago is good enough to come back to
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
    // of two questions under way the later one is right
    if (entry.askedAt === askedAt) entry.answer.value = { data, problem: null, isAsking: false, isOld: false };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.isOutage) outages.value += 1;
    else noteContact();
    if (entry.askedAt === askedAt) entry.answer.value = { ...entry.answer.value, ...failed(entry, problem) };
  }
}

/** An outage leaves the figures that are there; a refusal or a 404 takes them away. @param {Entry} entry @param {Problem} problem */
function failed(entry, problem) {
  return { data: problem.isOutage ? entry.answer.value.data : null, problem, isAsking: false };
}

/** Ask everything that is on the page again, each as often as its pace allows. */
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

/** Ask everything on the page at once: somebody pressed a button, or acted. */
export function askNow() {
  return Promise.all([...entries].filter(([, entry]) => entry.users).map(([path, entry]) => askEntry(path, entry)));
}

/** Forget every answer: another person signs in. */
export function forgetAnswers() {
  entries.clear();
}
