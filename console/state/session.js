/** Who is signed in: the address they signed in with, and what the API lets them do. */

import { signal } from "@preact/signals";
import { ask, askLogin, forgetToken, isSignedIn, maySignInAgain, renew, signedInAs } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { forgetAnswers } from "./answers.js";

/** @typedef {import("../api/answers.js").Me} Me */

export const session = signal(/** @type {(Me & { email: string }) | null} */ (null));

/** Why the session could not be opened although somebody may be signed in. */
export const sessionProblem = signal(/** @type {Problem | null} */ (null));

/** Ask the cookie whether somebody is signed in, and the API who it is. */
export async function openSession() {
  try {
    if (!isSignedIn.value && !maySignInAgain()) forgetToken();
    else if (isSignedIn.value || (await renew())) {
      const me = await ask("me");
      session.value = { ...me, email: me.email || signedInAs.value };
    }
    sessionProblem.value = null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    sessionProblem.value = problem; // a new one each time, so that another try is planned
  }
}

/** @param {string} action a right by the API's name */
export function may(action) {
  return session.value?.actions.includes(action) ?? false;
}

export async function signOut() {
  try {
    await askLogin("sign-out");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
  }
  leave();
}

/** Nobody is signed in here any more: nothing of theirs stays on the page. */
export function leave() {
  forgetToken();
  forgetAnswers();
  session.value = null;
}
