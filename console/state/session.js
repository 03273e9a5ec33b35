/** The signed-in person: their e-mail address and their rights. */

import { signal } from "@preact/signals";
import { ask, askLogin, forgetToken, isSignedIn, maySignInAgain, renew, signedInAs } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { forgetAnswers } from "./answers.js";

/** @typedef {import("../api/answers.js").Me} Me */

export const session = signal(/** @type {(Me & { email: string }) | null} */ (null));

/** The reason why the session could not be opened although there may be a valid cookie. */
export const sessionProblem = signal(/** @type {Problem | null} */ (null));

/** Check the cookie, and read the person from the API. */
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
    sessionProblem.value = problem; // a new object each time, so that another retry is planned
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

/** End the session in this page: all data of the person is removed. */
export function leave() {
  forgetToken();
  forgetAnswers();
  session.value = null;
}
