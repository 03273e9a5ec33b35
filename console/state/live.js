/**
 * Whether the page updates by itself. The socket carries nudges only; the changes are read from the API.
 *
 *   connecting     just opened
 *   live           the socket is open and was heard within the last minute
 *   asking         no socket, but the API answers: every 5 s during a run, else once a minute
 *   reconnecting   the API does not answer, for less than a minute
 *   off            it has not answered for a minute: figures stay, actions are disabled
 */

import { effect, signal } from "@preact/signals";
import { act, isSignedIn } from "../api/client.js";
import { askAgain, askNow, noteContact, outages, silence } from "./answers.js";
import { openSession, session, sessionProblem } from "./session.js";

/** @typedef {"connecting" | "live" | "asking" | "reconnecting" | "off"} LiveState */

const TICK = 1_000;
const PING_EVERY = 45_000;
const SILENT_AFTER = 75_000;
const OFF_AFTER = 60_000;
const LONGEST_WAIT = 30_000;
const DURING_A_RUN = 5_000;
const OTHERWISE = 60_000;

export const live = signal(/** @type {LiveState} */ ("connecting"));

/** The time of the next retry, on this machine's clock; 0 if none is planned. */
export const nextTryAt = signal(0);

/** Whether a run is under way; set by the frame. */
export const isRunning = signal(false);

/** @type {WebSocket | null} */
let socket = null;
let isTrying = false;
let hasListened = false;
let failures = 0;
let openedAt = 0;
let heardAt = 0;
let pingedAt = 0;
let askedAt = 0;
let tickedAt = 0;

/** Keep a connection while a person is signed in, and retry failed requests. Called once. */
export function followChanges() {
  effect(() => {
    if (session.value && isSignedIn.value) connect();
    else disconnect();
  });
  effect(() => {
    if (outages.value || sessionProblem.value?.isOutage) planTry();
    judge();
  });
  setInterval(tick, TICK);
  for (const woken of ["online", "pageshow"]) addEventListener(woken, wake);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
}

/** Retry everything now: the network is back, the laptop woke up, or a button was pressed. */
export function wake() {
  failures = 0;
  askedAt = Date.now();
  if (!session.value) {
    if (sessionProblem.value) openSession();
    return;
  }
  askNow();
  if (isOpen()) ping();
  else connect();
}

function isOpen() {
  return socket?.readyState === WebSocket.OPEN;
}

async function connect() {
  if (isTrying || socket) return;
  isTrying = true;
  nextTryAt.value = 0;
  try {
    const { ticket, url } = await act("POST", "live-tickets");
    if (outages.value) askAgain(); // the API is back
    noteContact();
    open(url, ticket);
  } catch {
    planTry();
  } finally {
    isTrying = false;
    judge();
  }
}

/** @param {string} url @param {string} ticket */
function open(url, ticket) {
  const opening = new WebSocket(url, ["console", ticket]);
  socket = opening;
  opening.onopen = () => {
    openedAt = Date.now();
    failures = 0;
    heard();
    // something may have changed without a connection; on a newly opened page only if a run is under way
    if (hasListened || isRunning.value) askAgain();
    hasListened = true;
  };
  opening.onmessage = (message) => {
    heard();
    if (isNudge(message.data)) askAgain();
  };
  opening.onclose = () => {
    if (socket === opening) lost();
  };
}

/** @param {unknown} data a nudge names a run; an echo of a ping does not */
function isNudge(data) {
  try {
    return typeof JSON.parse(String(data)).run === "string";
  } catch {
    return false;
  }
}

function heard() {
  heardAt = Date.now();
  if (!outages.value) noteContact();
  judge();
}

/** Connections end every few minutes: one that worked is replaced at once, without a message. */
function lost() {
  const hasLived = openedAt > 0 && Date.now() - openedAt > 60_000;
  socket = null;
  openedAt = 0;
  if (hasLived) connect();
  else planTry();
  judge();
}

/** Plan the next retry: later after each failure, with jitter. */
function planTry() {
  if (nextTryAt.peek() > Date.now()) return;
  const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** failures);
  failures += 1;
  nextTryAt.value = Date.now() + wait * (0.85 + 0.3 * Math.random());
}

function disconnect() {
  const closing = socket;
  socket = null;
  failures = 0;
  nextTryAt.value = 0;
  outages.value = 0;
  live.value = "connecting";
  closing?.close();
}

function tick() {
  const isVisible = document.visibilityState === "visible";
  const hasSlept = tickedAt > 0 && Date.now() - tickedAt > 20 * TICK;
  tickedAt = Date.now();
  if (hasSlept && isVisible) wake();
  else if (nextTryAt.value && Date.now() >= nextTryAt.value) tryAgain();
  else if (isOpen()) listen();
  else if (isVisible && session.value) askSometimes();
  judge();
}

function tryAgain() {
  nextTryAt.value = 0;
  if (!session.value) {
    openSession();
    return;
  }
  if (outages.value) askNow();
  connect();
}

function listen() {
  const silent = Date.now() - heardAt;
  if (silent > SILENT_AFTER) socket?.close();
  else if (silent > PING_EVERY && Date.now() - pingedAt > PING_EVERY / 2) ping();
}

function ping() {
  pingedAt = Date.now();
  socket?.send(JSON.stringify({ ask: "ping" }));
}

function askSometimes() {
  if (Date.now() - askedAt < (isRunning.value ? DURING_A_RUN : OTHERWISE)) return;
  askedAt = Date.now();
  askAgain();
}

function judge() {
  live.value = judged();
}

/** @returns {LiveState} */
function judged() {
  if (outages.peek()) return silence() > OFF_AFTER ? "off" : "reconnecting";
  if (isOpen()) return "live";
  if (failures > 0) return "asking";
  return live.peek() === "live" ? "live" : "connecting"; // the connection is being replaced
}
