/** A verdict: its word with a letter and the colour of its family; its explanation is in the tip. */

import { tipped } from "../state/tip.js";
import { words } from "../words/en.js";
import { html } from "./html.js";

/** @typedef {"good" | "wait" | "calm" | "late" | "bad" | "running"} Family */

/** @type {Record<string, [letter: string, family: Family]>} */
export const VERDICTS = {
  fresh: ["✓", "good"],
  final: ["✓", "good"],
  ready: ["✓", "good"],
  converted: ["✓", "good"],
  published: ["✓", "good"],
  verified: ["✓", "good"],
  unchanged: ["=", "calm"],
  preliminary: ["~", "wait"],
  zero: ["0", "calm"],
  "not ready": ["…", "calm"],
  "not due": ["·", "calm"],
  "not registered": ["…", "calm"],
  "not built": ["…", "calm"],
  "being replaced": ["…", "calm"],
  "below threshold": ["<", "calm"],
  "rolled back": ["↶", "calm"],
  superseded: ["=", "calm"],
  late: ["L", "late"],
  missing: ["L", "late"],
  silent: ["L", "late"],
  stopped: ["S", "late"],
  expired: ["E", "late"],
  "not offered": ["N", "late"],
  quarantined: ["Q", "bad"],
  forbidden: ["F", "bad"],
  "key rejected": ["K", "bad"],
  "key expired": ["K", "bad"],
  conflict: ["C", "bad"],
  mismatch: ["M", "bad"],
  failed: ["✗", "bad"],
};

/** Verdicts that need action most come first, in the API's order: chips, legends, the list of verdicts. */
export const WORST_FIRST = [
  ...["forbidden", "key rejected", "mismatch", "quarantined", "expired", "stopped", "late", "not offered"],
  ...["not ready", "preliminary", "below threshold", "fresh", "zero"],
];

/** @param {string} verdict */
export function letterOf(verdict) {
  return VERDICTS[verdict]?.[0] ?? "·";
}

/** @param {string} verdict @returns {Family} */
export function familyOf(verdict) {
  return VERDICTS[verdict]?.[1] ?? "calm";
}

/** @param {string} verdict */
export function sentenceOf(verdict) {
  return /** @type {Record<string, string>} */ (words.verdicts)[verdict] ?? "";
}

/** Whether the verdict needs action. @param {string} verdict */
export function isException(verdict) {
  return ["late", "bad"].includes(familyOf(verdict));
}

/** @param {{ verdict: string }} props */
export function Mark({ verdict }) {
  const hatched = verdict === "preliminary" ? " hatched" : "";
  return html`<span class=${`mark family-${familyOf(verdict)}${hatched}`} aria-hidden="true">${letterOf(verdict)}</span>`;
}

/** @param {string} verdict */
export function explained(verdict) {
  return html`<p><b>${verdict}</b></p><p class="soft">${sentenceOf(verdict)}</p>`;
}

/** Letter and word. @param {{ verdict: string }} props */
export function Verdict({ verdict }) {
  return html`
    <span class="verdict" ...${tipped(explained(verdict))}><${Mark} verdict=${verdict} /><span class="word">${verdict}</span></span>
  `;
}

/**
 * Beside a title: the word and its subject.
 * @param {{ verdict: string, says?: import("preact").ComponentChild }} props
 */
export function Badge({ verdict, says }) {
  return html`
    <span class=${`badge family-${familyOf(verdict)}`} ...${tipped(sentenceOf(verdict))}>
      <${Mark} verdict=${verdict} /><span>${says ?? verdict}</span>
    </span>
  `;
}
