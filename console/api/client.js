/** The client of the API. Only this module has the access token; an HttpOnly cookie renews it. */

import { batch, signal } from "@preact/signals";
import { Problem, problemOf } from "./problem.js";

const API = "api/v1/";
const LOGIN = "auth/";
const PATIENCE = 25_000;
const RENEW_BEFORE = 60_000;

let token = "";
let expiresAt = 0;
/** @type {Promise<boolean> | null} */
let renewal = null;

/** Whether a person is signed in; null until the cookie has been checked. */
export const isSignedIn = signal(/** @type {boolean | null} */ (null));

/** The e-mail address of the signed-in person. */
export const signedInAs = signal("");

/** The difference between the server's clock and this one, in milliseconds: laptops can be an hour off. */
export const clockOffset = signal(0);

/** The current time of the server. */
export function now() {
  return Date.now() + clockOffset.value;
}

/**
 * One request. Every failure becomes a Problem.
 * @param {string} url
 * @param {RequestInit} options
 */
async function send(url, options) {
  const asked = Date.now();
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch {
    throw new Problem(0, "");
  }
  keepTime(response, asked);
  return response;
}

/** @param {Response} response @param {number} asked */
function keepTime(response, asked) {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date) || response.headers.has("age")) return;
  const offset = date + 500 - (asked + Date.now()) / 2;
  clockOffset.value = Math.abs(offset) < 5000 ? 0 : offset;
}

/**
 * @param {string} step "login", "totp", "refresh" …
 * @param {object} [body]
 * @returns {Promise<any>} the answer, or null where there is none to read
 */
export async function askLogin(step, body = {}) {
  const response = await send(`${LOGIN}${step}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Requested-With": "console" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await problemOf(response);
  const answer = response.status === 204 ? null : await response.json();
  if (answer?.step === "done") keepToken(answer);
  return answer;
}

/** @param {{ access_token: string, expires_in: number, email?: string }} answer */
function keepToken(answer) {
  token = answer.access_token;
  expiresAt = performance.now() + answer.expires_in * 1000;
  remember(true);
  batch(() => {
    signedInAs.value = answer.email ?? signedInAs.value;
    isSignedIn.value = true;
  });
}

export function forgetToken() {
  token = "";
  expiresAt = 0;
  remember(false);
  isSignedIn.value = false;
}

const SIGNED_IN = "signed-in";

/** Remembers that a person signed in here, but not who: a first visit need not check for a cookie. */
function remember(/** @type {boolean} */ isSomebody) {
  try {
    if (isSomebody) localStorage.setItem(SIGNED_IN, "yes");
    else localStorage.removeItem(SIGNED_IN);
  } catch {
    // without storage the cookie is checked each time
  }
}

/** Whether there may be a valid cookie. */
export function maySignInAgain() {
  try {
    return localStorage.getItem(SIGNED_IN) !== null;
  } catch {
    return true;
  }
}

/** Renew the token with the cookie; false without a valid cookie. Concurrent callers share one request. */
export function renew() {
  renewal ??= askLogin("refresh")
    .then(() => true)
    .catch((problem) => {
      if (problem.isOutage) throw problem;
      forgetToken();
      return false;
    })
    .finally(() => {
      renewal = null;
    });
  return renewal;
}

/** @param {string} path @param {RequestInit} options */
async function sendAsMe(path, options) {
  if (performance.now() > expiresAt - RENEW_BEFORE && !(await renew())) throw new Problem(401, "");
  const headers = { ...options.headers, Authorization: `Bearer ${token}` };
  return send(API + path, { ...options, headers });
}

/**
 * One request to the API. If the token is refused, it is renewed once.
 * @param {string} path below api/v1/
 * @param {RequestInit} [options]
 */
async function request(path, options = {}) {
  let response = await sendAsMe(path, options);
  if (response.status === 401) {
    expiresAt = 0;
    response = await sendAsMe(path, options);
  }
  if (response.status === 401) forgetToken();
  if (!response.ok) throw await problemOf(response);
  return response;
}

/**
 * Read. The browser caches answers by their ETag and revalidates them.
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function ask(path) {
  const response = await request(path, { headers: { Accept: "application/json" }, cache: "no-cache" });
  return response.json();
}

/**
 * Act.
 * @param {"POST" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function act(method, path, body) {
  const response = await request(path, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: body && JSON.stringify(body),
  });
  return response.status === 204 ? null : response.json();
}

/**
 * An answer as CSV.
 * @param {string} path
 */
export async function askForCsv(path) {
  const response = await request(path, { headers: { Accept: "text/csv" } });
  return response.blob();
}
