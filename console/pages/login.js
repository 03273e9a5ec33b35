/** Sign-in: address and password, then the next step: a new password, a second factor, its code. */

import { useEffect, useRef, useState } from "preact/hooks";
import { askLogin } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { html } from "../parts/html.js";
import { QrCode } from "../parts/qr_code.js";
import { leave, openSession } from "../state/session.js";
import { words } from "../words/en.js";
import { text } from "../words/say.js";

/**
 * @typedef {object} Step
 * @property {"login" | "new_password" | "enrol_totp" | "totp" | "forgot" | "reset"} step
 * @property {string} [session]
 * @property {string} [secret]
 * @property {string} [otpauth]
 * @property {number[][]} [qr]
 */

export function LoginPage() {
  const [step, setStep] = useState(/** @type {Step} */ ({ step: "login" }));
  const [email, setEmail] = useState("");
  const [said, setSaid] = useState("");
  useEffect(() => {
    document.title = text(words.frame.title, { page: words.login.title });
    leave(); // data of the previous person is removed
  }, []);
  /** @param {any} answer */
  const next = async (answer) => {
    if (answer?.step === "done") await openSession();
    else setStep(answer);
  };
  const shared = { step, email, onEmail: setEmail, onNext: next, onStep: setStep, said, onSaid: setSaid };
  const form = FORMS[step.step] ?? Password;
  return html`<div class="center"><${form} key=${step.step} ...${shared} /></div>`;
}

/**
 * @typedef {object} FormProps
 * @property {Step} step
 * @property {string} email
 * @property {string} said a sentence from the step before
 * @property {(email: string) => void} onEmail
 * @property {(answer: any) => Promise<void>} onNext
 * @property {(step: Step) => void} onStep
 * @property {(sentence: string) => void} onSaid
 */

/** @type {Record<string, (props: FormProps) => any>} */
const FORMS = {
  login: Password,
  new_password: NewPassword,
  enrol_totp: Enrol,
  totp: Code,
  forgot: Forgot,
  reset: Reset,
};

/**
 * One step: its fields are sent by name, an error is shown above the button.
 * @param {object} props
 * @param {string} props.title
 * @param {any} [props.says]
 * @param {string} props.button
 * @param {any} [props.below]
 * @param {(fields: Record<string, string>) => Promise<void>} props.send
 * @param {any} props.children
 */
function Form({ title, says, button, below, send, children }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(
    () => /** @type {HTMLElement | null} */ (form.current?.querySelector("input:not([readonly])"))?.focus(),
    [],
  );
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await send(
        /** @type {Record<string, string>} */ (
          Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)))
        ),
      );
    } catch (failed) {
      if (!(failed instanceof Problem)) throw failed;
      setProblem(failed.detail || words.login.noAnswer);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <form class="card panel" ref=${form} onSubmit=${submit}>
      <h1>${title}</h1>
      ${says && html`<p class="soft">${says}</p>`}
      ${children}
      ${problem && html`<p class="callout bad" role="alert">${problem}</p>`}
      <button class="button main" disabled=${isBusy}>${button}</button>
      ${below && html`<p class="quiet small">${below}</p>`}
    </form>
  `;
}

/** @param {{ label: string, name: string, [more: string]: any }} props */
function Field({ label, name, ...more }) {
  return html`<label class="field"><span>${label}</span><input name=${name} required ...${more} /></label>`;
}

/** @param {{ word: string, onPress: () => void }} props */
function TextButton({ word, onPress }) {
  return html`<button type="button" class="link" onClick=${onPress}>${word}</button>`;
}

/** @param {FormProps} props */
function Password({ email, onEmail, onNext, onStep, said }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { email: address = "", password = "" }) => {
    onEmail(address);
    await onNext(await askLogin("login", { email: address, password }));
  };
  const below = html`${w.noSignUp} <${TextButton} word=${w.forgot} onPress=${() => onStep({ step: "forgot" })} />`;
  return html`
    <${Form} title=${w.title} says=${said} button=${w.title} below=${below} send=${send}>
      <${Field} label=${w.email} name="email" type="email" autocomplete="username" value=${email} />
      <${Field} label=${w.password} name="password" type="password" autocomplete="current-password" />
    </${Form}>
  `;
}

/** @param {FormProps} props */
function NewPassword({ step, email, onNext }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { password = "" }) =>
    onNext(await askLogin("new-password", { email, session: step.session, password }));
  return html`
    <${Form} title=${w.newPassword} says=${w.newPasswordWhy} button=${w.continue} send=${send}>
      <input type="hidden" name="username" autocomplete="username" value=${email} />
      <${Field} label=${w.chosenPassword} name="password" type="password" autocomplete="new-password" minlength="12" />
    </${Form}>
  `;
}

/** @param {FormProps} props */
function Enrol({ step, email, onNext }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { code = "" }) =>
    onNext(await askLogin("enrol-totp", { email, session: step.session, code: code.trim() }));
  return html`
    <${Form} title=${w.enrol} says=${w.enrolWhy} button=${w.continue} send=${send}>
      ${step.qr && html`<${QrCode} rows=${step.qr} label=${w.qr} />`}
      <p class="soft">${w.orType} <span class="mono secret">${step.secret}</span></p>
      <${CodeField} />
    </${Form}>
  `;
}

/** @param {FormProps} props */
function Code({ step, email, onNext }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { code = "" }) =>
    onNext(await askLogin("totp", { email, session: step.session, code: code.trim() }));
  return html`
    <${Form} title=${w.code} says=${text(w.codeFor, { email })} button=${w.continue} send=${send}>
      <${CodeField} />
    </${Form}>
  `;
}

function CodeField() {
  return html`
    <${Field} label=${words.login.digits} name="code" class="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" maxlength="7" />
  `;
}

/** @param {FormProps} props */
function Forgot({ email, onEmail, onStep }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { email: address = "" }) => {
    onEmail(address);
    await askLogin("forgot", { email: address });
    onStep({ step: "reset" });
  };
  return html`
    <${Form} title=${w.forgotTitle} says=${w.forgotWhy} button=${w.sendCode} below=${html`<${TextButton} word=${w.back} onPress=${() => onStep({ step: "login" })} />`} send=${send}>
      <${Field} label=${w.email} name="email" type="email" autocomplete="username" value=${email} />
    </${Form}>
  `;
}

/** @param {FormProps} props */
function Reset({ email, onStep, onSaid }) {
  const w = words.login;
  const send = async (/** @type {Record<string, string>} */ { code = "", password = "" }) => {
    await askLogin("reset", { email, code: code.trim(), password });
    onSaid(w.changed);
    onStep({ step: "login" });
  };
  return html`
    <${Form} title=${w.resetTitle} says=${text(w.resetWhy, { email })} button=${w.change} below=${html`<${TextButton} word=${w.back} onPress=${() => onStep({ step: "login" })} />`} send=${send}>
      <${Field} label=${w.mailedCode} name="code" inputmode="numeric" autocomplete="one-time-code" />
      <${Field} label=${w.chosenPassword} name="password" type="password" autocomplete="new-password" minlength="12" />
    </${Form}>
  `;
}
