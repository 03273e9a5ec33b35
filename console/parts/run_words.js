/** The name and the status of a run: for lists, titles and hits. */

import { weekday } from "../words/dates.js";
import { words } from "../words/en.js";
import { html } from "./html.js";
import { letterOf } from "./verdict.js";

/** @typedef {Pick<import("../api/answers.js").RunLine, "operation" | "status" | "started_at"> & { worst_verdict?: string }} NamedRun */

/** "Daily, Sun 29 Nov" @param {NamedRun} run */
export function runTitle(run) {
  return `${operationName(run.operation)}, ${weekday(run.started_at)}`;
}

/** @param {string} operation */
export function operationName(operation) {
  return /** @type {Record<string, string>} */ (words.operations)[operation] ?? words.operations.unknown;
}

const FAMILIES = /** @type {Record<string, string>} */ ({ RUNNING: "running", SUCCEEDED: "good", FAILED: "bad" });
const SIGNS = /** @type {Record<string, string>} */ ({ RUNNING: "▶", SUCCEEDED: "✓" });

/** @param {NamedRun} run */
export function runBadge(run) {
  const family = FAMILIES[run.status] ?? "late";
  const sign = SIGNS[run.status] ?? (run.worst_verdict ? letterOf(run.worst_verdict) : "✗");
  const word = /** @type {Record<string, string>} */ (words.statuses)[run.status] ?? run.status.toLowerCase();
  const mark = html`<span class=${`mark family-${family}`} aria-hidden="true">${sign}</span>`;
  return { mark, badge: html`<span class=${`badge family-${family}`}>${mark}<span>${word}</span></span>` };
}
