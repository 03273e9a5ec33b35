/** The name of a run's starter: the schedule, an address, or the last part of an AWS principal. */

import { words } from "./en.js";

/** @param {string} startedBy */
export function starter(startedBy) {
  const known = /** @type {Record<string, string>} */ (words.starters)[startedBy];
  if (known) return known;
  const [, principal] = startedBy.match(/^arn:[^:]*:(?:iam|sts)::\d*:(.+)$/) ?? [];
  return principal ? principal.split("/").slice(1).join("/") || principal : startedBy;
}

/** The initials of a person: two letters of the address, because names are unknown. @param {string} email */
export function initialsOf(email) {
  const parts = (email.split("@")[0] ?? "").split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return ((parts[0]?.[0] ?? "") + (parts[1]?.[0] ?? parts[0]?.[1] ?? "")).toUpperCase();
}
