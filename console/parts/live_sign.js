/** Shows whether the page updates by itself, and the age of its data. */

import { contactAt } from "../state/answers.js";
import { isRunning, live, wake } from "../state/live.js";
import { tipped } from "../state/tip.js";
import { clock } from "../words/dates.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";
import { html } from "./html.js";
import { LiveIcon } from "./icons.js";
import { NextTry } from "./states.js";

/** The time of the last contact, 10:24 UTC; empty before the first. */
export function lastContact() {
  return contactAt.value ? clock(new Date(contactAt.value).toISOString()) : "";
}

export function LiveSign() {
  const state = live.value;
  const word = state === "asking" ? words.live.asking[isRunning.value ? "running" : "idle"] : words.live[state];
  const asOf = lastContact();
  return html`
    <span class="live" data-state=${state} role="status" ...${tipped(words.live.tips[state])}>
      <${LiveIcon} state=${state} /><span class="word">${word}</span>
      ${asOf && html`<span class="as-of"><span class="wide">${words.live.asOf} </span>${asOf}</span>`}
    </span>
  `;
}

/** A bar above a page with old figures: their age, and the next retry. */
export function StaleBar() {
  const state = live.value;
  if (state !== "off" && state !== "reconnecting") return null;
  const sentence = words.live.bar[state];
  return html`
    <div class="stale" role="alert">
      <${LiveIcon} state=${state} />
      <span>${text(sentence, { time: lastContact() || words.live.now })} <${NextTry} /></span>
      <button type="button" class="button slim" onClick=${wake}>${words.live.tryNow}</button>
    </div>
  `;
}
