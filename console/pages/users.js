/** Users, the rights of each role, and the audit log. For admins. */

import { useEffect, useState } from "preact/hooks";
import { act, now } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { html } from "../parts/html.js";
import { SearchIcon } from "../parts/icons.js";
import { Panel } from "../parts/panel.js";
import { GhostPage, NothingRow, PageProblem } from "../parts/states.js";
import { askNow, useAnswer } from "../state/answers.js";
import { choose, route } from "../state/route.js";
import { session } from "../state/session.js";
import { ago } from "../words/dates.js";
import { words } from "../words/en.js";
import { inWords, UNKNOWN } from "../words/numbers.js";
import { initialsOf } from "../words/people.js";
import { listed, many, text } from "../words/say.js";
import { Audit } from "./audit.js";
import { InviteDialog, RightsDialog } from "./people_dialogs.js";
import { Roles } from "./roles.js";

/** @typedef {import("../api/answers.js").People} People */
/** @typedef {import("../api/answers.js").Person} Person */

const ROLES = ["viewer", "operator", "admin"];

export function UsersPage() {
  const { data, problem } = /** @type {import("../state/answers.js").Answer<People>} */ (useAnswer("users"));
  const [isInviting, setInviting] = useState(false);
  const [fault, setFault] = useState("");
  useEffect(() => {
    document.title = text(words.frame.title, { page: words.users.title });
  }, []);
  if (!data) return problem ? html`<${PageProblem} problem=${problem} />` : html`<${GhostPage} />`;
  /** Change a user, then reload the list. @param {() => Promise<any>} work */
  const attempt = async (work) => {
    try {
      setFault("");
      await work();
    } catch (failed) {
      if (!(failed instanceof Problem)) throw failed;
      setFault(failed.detail || words.states.noAnswer);
    }
    await askNow();
  };
  return html`
    <div class="title">
      <h1>${words.users.title}</h1>
      <span class="grow"></span>
      <button type="button" class="button main" onClick=${() => setInviting(true)}>${words.users.invite}</button>
    </div>
    <p class="sentence">${sentenceOf(data.people)}</p>
    ${fault && html`<p class="callout bad" role="alert">${fault}</p>`}
    <div class="stack">
      <${PeopleTable} people=${data.people} attempt=${attempt} />
      <div class="columns two"><${Roles} /><${Audit} /></div>
    </div>
    ${isInviting && html`<${InviteDialog} onClose=${() => setInviting(false)} />`}
  `;
}

/** "7 users: 1 admin, 2 operators and 4 viewers. Two have no second factor; one is disabled." @param {Person[]} people */
function sentenceOf(people) {
  const w = words.users;
  const count = (/** @type {(person: Person) => boolean} */ is) => people.filter(is).length;
  const roles = ROLES.toReversed()
    .map((role) => ({ role, n: count((person) => person.role === role) }))
    .filter(({ n }) => n)
    .map(({ role, n }) => many(/** @type {Record<string, any>} */ (w.ofRole)[role], n));
  const open = count((person) => person.state === "active" && !person.has_second_factor);
  const disabled = count((person) => person.state === "disabled");
  const remarks = [
    open && many(w.withoutFactor, open, inWords(open)),
    disabled && many(w.disabledOnes, disabled, inWords(disabled)),
  ].filter(Boolean);
  const first = text(w.sentence, { people: many(w.people, people.length), roles: listed(roles) });
  const second = remarks.join("; ");
  return second ? `${first} ${second.charAt(0).toUpperCase()}${second.slice(1)}.` : first;
}

/** @param {{ people: Person[], attempt: (work: () => Promise<any>) => Promise<void> }} props */
function PeopleTable({ people, attempt }) {
  const typed = (route.value.choices.get("q") ?? "").toLowerCase();
  const [editing, setEditing] = useState(/** @type {Person | null} */ (null));
  const shown = people.filter((person) => person.email.toLowerCase().includes(typed));
  const w = words.users;
  const onInput = (/** @type {Event} */ event) =>
    choose({ q: /** @type {HTMLInputElement} */ (event.currentTarget).value }, { replace: true });
  return html`
    <${Panel}
      title=${w.list}
      beside=${w.below}
      tools=${html`
        <label class="search">
          <span class="unseen">${w.filter}</span><${SearchIcon} />
          <input data-filter autocomplete="off" placeholder=${w.filterHint} value=${route.value.choices.get("q") ?? ""} onInput=${onInput} />
          <kbd aria-hidden="true">/</kbd>
        </label>
      `}
    >
      <div class="scroll" tabindex="0" role="group" aria-label=${w.list}>
        <table class="people listed">
          <caption class="unseen">${w.title}</caption>
          <thead>
            <tr>
              <th scope="col">${w.address}</th><th scope="col">${w.role}</th><th scope="col">${w.apps}</th>
              <th scope="col">${w.factor}</th><th scope="col">${w.lastAction}</th><th scope="col">${w.state}</th>
              <th scope="col"><span class="unseen">${w.actions}</span></th>
            </tr>
          </thead>
          <tbody>
            ${shown.map((person) => html`<${Row} key=${person.user_id} person=${person} isLastAdmin=${isLastAdmin(person, people)} attempt=${attempt} onEdit=${setEditing} />`)}
            ${!shown.length && html`<${NothingRow} columns=${7} says=${text(w.noneCalled, { typed })} />`}
          </tbody>
        </table>
      </div>
      ${editing && html`<${RightsDialog} person=${editing} onClose=${() => setEditing(null)} />`}
    </${Panel}>
  `;
}

/** @param {Person} person @param {Person[]} people */
function isLastAdmin(person, people) {
  return (
    person.role === "admin" && people.filter((each) => each.role === "admin" && each.state === "active").length < 2
  );
}

const STATES = /** @type {Record<string, [string, string]>} */ ({
  active: ["✓", "good"],
  invited: ["…", "wait"],
  disabled: ["×", "calm"],
});

/**
 * @param {object} props
 * @param {Person} props.person
 * @param {boolean} props.isLastAdmin
 * @param {(work: () => Promise<any>) => Promise<void>} props.attempt
 * @param {(person: Person) => void} props.onEdit
 */
function Row({ person, isLastAdmin, attempt, onEdit }) {
  const w = words.users;
  const isMe = person.user_id === session.value?.user_id;
  const isOff = person.state === "disabled";
  const [sign, family] = STATES[person.state] ?? ["·", "calm"];
  const path = `users/${encodeURIComponent(person.user_id)}`;
  const changeRole = (/** @type {Event} */ event) => {
    const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
    attempt(() => act("PATCH", path, { role: select.value }));
  };
  return html`
    <tr>
      <th scope="row">
        <span class="verdict person">
          <span class=${`initials ${isOff ? "off" : ""}`} aria-hidden="true">${initialsOf(person.email)}</span>
          <span>${person.email}${isMe && html` <span class="quiet">${w.you}</span>`}</span>
        </span>
      </th>
      <td class="indented">
        <select aria-label=${text(w.roleOf, { email: person.email })} disabled=${isOff || isLastAdmin} value=${person.role} onChange=${changeRole}>
          ${ROLES.map((role) => html`<option value=${role} selected=${role === person.role}>${role}</option>`)}
        </select>
      </td>
      <td class="indented">
        <button type="button" class="button slim" disabled=${isOff} onClick=${() => onEdit(person)}>${person.app_ids === null ? w.allApps : many(w.someApps, person.app_ids.length)}</button>
      </td>
      <td class="factor"><span class="label soft">${w.factor}</span><${Factor} person=${person} /></td>
      <td class="seen soft">${person.last_action_at ? ago(person.last_action_at, now()) : w.never}</td>
      <td class="state"><span class="verdict"><span class=${`mark family-${family}`} aria-hidden="true">${sign}</span>${/** @type {Record<string, string>} */ (w.states)[person.state] ?? person.state}</span></td>
      <td class="number actions">${isLastAdmin ? html`<span class="quiet small">${w.lastAdmin}</span>` : html`<${Actions} person=${person} path=${path} attempt=${attempt} />`}</td>
    </tr>
  `;
}

/** @param {{ person: Person }} props */
function Factor({ person }) {
  if (person.has_second_factor)
    return html`<span class="verdict"><span class="mark family-good" aria-hidden="true">✓</span>${words.users.on}</span>`;
  if (person.state !== "active") return html`<span class="quiet">${UNKNOWN}</span>`;
  return html`<span class="verdict"><span class="mark family-late" aria-hidden="true">!</span>${words.users.notSetUp}</span>`;
}

/** @param {{ person: Person, path: string, attempt: (work: () => Promise<any>) => Promise<void> }} props */
function Actions({ person, path, attempt }) {
  const w = words.users;
  const button = (/** @type {string} */ word, /** @type {() => Promise<any>} */ work) =>
    html`<button type="button" class="button slim bare" aria-label=${`${word}: ${person.email}`} onClick=${() => attempt(work)}>${word}</button>`;
  if (person.state === "disabled") return button(w.enable, () => act("PATCH", path, { is_enabled: true }));
  return html`
    ${person.state === "invited" && button(w.inviteAgain, () => act("POST", `${path}/invitation`))}
    ${person.has_second_factor && button(w.resetFactor, () => act("DELETE", `${path}/second-factor`))}
    ${button(w.disable, () => act("PATCH", path, { is_enabled: false }))}
  `;
}
