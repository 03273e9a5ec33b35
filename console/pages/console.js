/** Chooses the page: the login without a session, otherwise the page in the URL. */

import { useEffect } from "preact/hooks";
import { isSignedIn } from "../api/client.js";
import { BareFrame, Frame } from "../parts/frame.js";
import { html } from "../parts/html.js";
import { Card, GhostPage, PageProblem } from "../parts/states.js";
import { route } from "../state/route.js";
import { session, sessionProblem } from "../state/session.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";
import { AppPage } from "./app.js";
import { AppsPage } from "./apps.js";
import { LoginPage } from "./login.js";
import { RunPage } from "./run.js";
import { RunsPage } from "./runs.js";
import { UsersPage } from "./users.js";

/** @type {Record<string, { page: import("preact").ComponentType<any>, title: string }>} */
const PAGES = {
  apps: { page: AppsPage, title: words.apps.page },
  app: { page: AppPage, title: words.apps.page },
  run: { page: RunPage, title: words.runs.title },
  runs: { page: RunsPage, title: words.runs.title },
  users: { page: UsersPage, title: words.users.title },
};

export function Console() {
  const { page, id } = route.value;
  const shown = PAGES[page];
  useEffect(() => {
    if (shown) document.title = text(words.frame.title, { page: shown.title });
  }, [shown]);
  if (sessionProblem.value)
    return html`<${BareFrame}><${PageProblem} problem=${sessionProblem.value} /></${BareFrame}>`;
  if (isSignedIn.value === false) return html`<${BareFrame}><${LoginPage} /></${BareFrame}>`;
  if (!session.value) return html`<${BareFrame}><${GhostPage} /></${BareFrame}>`;
  return html`<${Frame}>${shown ? html`<${shown.page} key=${`${page} ${id}`} id=${id} />` : html`<${Card} title=${words.states.notThere} />`}</${Frame}>`;
}
