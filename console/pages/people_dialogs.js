/** Invite a person, and choose the apps that a person sees. */

import { useState } from "preact/hooks";
import { act } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { AppPicker } from "../parts/app_picker.js";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { askNow } from "../state/answers.js";
import { words } from "../words/en.js";
import { many, text } from "../words/say.js";

/** @typedef {import("../api/answers.js").Person} Person */

const ROLES = ["viewer", "operator", "admin"];

/** Send, and close after success. @param {() => void} onClose */
function useSend(onClose) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  /** @param {() => Promise<any>} work */
  const send = async (work) => {
    setBusy(true);
    try {
      await work();
      onClose();
      askNow();
    } catch (failed) {
      if (!(failed instanceof Problem)) throw failed;
      setProblem(failed.detail || words.states.noAnswer);
    } finally {
      setBusy(false);
    }
  };
  return { problem, isBusy, send };
}

/** @param {{ onClose: () => void }} props */
export function InviteDialog({ onClose }) {
  const w = words.invite;
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("viewer");
  const [apps, setApps] = useState(/** @type {string[] | null} */ (null));
  const { problem, isBusy, send } = useSend(onClose);
  const submit = () => send(() => act("POST", "users", { email: email.trim(), role, app_ids: apps }));
  const whom = text(w.as, { role, apps: apps === null ? "" : many(w.ofApps, apps.length) });
  const canSend = /.@./.test(email) && apps?.length !== 0 && !isBusy;
  return html`
    <${Dialog}
      title=${w.title}
      close=${words.dialog.cancel}
      onClose=${onClose}
      foot=${html`
        <span class="quiet grow" role="alert">${problem || w.mail}</span>
        <button type="button" class="button main" disabled=${!canSend} onClick=${submit}>${whom}</button>
      `}
    >
      <label class="field">
        <span>${words.login.email}</span>
        <input type="email" autofocus autocomplete="off" value=${email} onInput=${(/** @type {Event} */ event) => setEmail(/** @type {HTMLInputElement} */ (event.currentTarget).value)} />
      </label>
      <fieldset>
        <legend>${words.users.role}</legend>
        <div class="options">
          ${ROLES.map(
            (each) => html`
              <label>
                <input type="radio" name="role" value=${each} checked=${each === role} onChange=${() => setRole(each)} />
                <b>${each}</b> <span class="soft">${/** @type {Record<string, string>} */ (w.may)[each]}</span>
              </label>
            `,
          )}
        </div>
      </fieldset>
      <${AppsChoice} apps=${apps} onChange=${setApps} />
    </${Dialog}>
  `;
}

/** @param {{ person: Person, onClose: () => void }} props */
export function RightsDialog({ person, onClose }) {
  const [apps, setApps] = useState(/** @type {string[] | null} */ (person.app_ids));
  const { problem, isBusy, send } = useSend(onClose);
  const submit = () => send(() => act("PATCH", `users/${encodeURIComponent(person.user_id)}`, { app_ids: apps }));
  return html`
    <${Dialog}
      title=${text(words.invite.appsOf, { email: person.email })}
      close=${words.dialog.cancel}
      onClose=${onClose}
      foot=${html`
        <span class="quiet grow" role="alert">${problem || words.invite.signedOut}</span>
        <button type="button" class="button main" disabled=${isBusy || apps?.length === 0} onClick=${submit}>${words.invite.save}</button>
      `}
    >
      <${AppsChoice} apps=${apps} onChange=${setApps} />
    </${Dialog}>
  `;
}

/** All apps, or only these. @param {{ apps: string[] | null, onChange: (apps: string[] | null) => void }} props */
function AppsChoice({ apps, onChange }) {
  const w = words.invite;
  return html`
    <fieldset>
      <legend>${words.users.apps}</legend>
      <div class="options">
        <label><input type="radio" name="apps" checked=${apps === null} onChange=${() => onChange(null)} /> ${w.all}</label>
        <label><input type="radio" name="apps" checked=${apps !== null} onChange=${() => onChange(apps ?? [])} /> ${w.these}</label>
      </div>
    </fieldset>
    ${apps !== null && html`<${AppPicker} label=${w.these} chosen=${apps} onChange=${onChange} />`}
  `;
}
