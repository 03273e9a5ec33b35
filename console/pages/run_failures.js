/** The failures of a run: name, id, table, reason and next step. */

import { html } from "../parts/html.js";
import { Docs, RepairLink } from "../parts/needs.js";
import { Panel } from "../parts/panel.js";
import { Badge } from "../parts/verdict.js";
import { address } from "../state/route.js";
import { words } from "../words/en.js";
import { whole } from "../words/numbers.js";
import { many, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").RunDetails} RunDetails */
/** @typedef {import("../api/answers.js").ErrorLine} ErrorLine */

const SHOWN = 20;

/** @param {{ run: RunDetails }} props */
export function Failures({ run }) {
  const { errors, apps, apps_failed: failed } = run;
  if (!errors.length && run.status !== "FAILED") return null;
  const goOn = run.status === "RUNNING" ? words.run.goOn : words.run.areWell;
  const beside =
    apps !== null && failed !== null
      ? text(goOn, { failed: whole(failed), apps: whole(apps), rest: whole(apps - failed) })
      : "";
  return html`
    <${Panel}
      title=${words.run.whatFailed}
      beside=${beside}
      foot=${errors.length > SHOWN && html`<span>${many(words.run.moreFailures, errors.length - SHOWN, whole(errors.length - SHOWN))}</span>`}
    >
      ${errors.slice(0, SHOWN).map((error) => html`<${Failure} error=${error} />`)}
      ${!errors.length && html`<p class="well">${run.cause}</p>`}
    </${Panel}>
  `;
}

/** @param {{ error: ErrorLine }} props */
function Failure({ error }) {
  return html`
    <div class="failure">
      <${Badge} verdict=${error.verdict} />
      <div class="words">
        <span>
          ${
            error.app_id
              ? html`<a href=${address(`apps/${error.app_id}`)}><b><bdi>${error.app_name || error.app_id}</bdi></b></a>${" "}<span class="id">${error.app_name && error.app_id}</span>`
              : html`<b>${error.item}</b>`
          }
          ${error.table && html` · ${error.table}`}
        </span>
        <span>${error.reason}</span>
      </div>
      <div class="links">
        <${RepairLink} repair=${error.repair} kind="button slim" />
        <${Docs} place=${error.docs} />
      </div>
    </div>
  `;
}
