/** Start a run: choose, review the plan, confirm. Nothing starts before, and nothing starts twice. */

import { useState } from "preact/hooks";
import { act } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { askNow } from "../state/answers.js";
import { live } from "../state/live.js";
import { address, choose, go, route } from "../state/route.js";
import { words } from "../words/en.js";
import { argumentsOf, Choose, FIELDS, filledFrom } from "./start_fields.js";
import { buttonOf, PlanTable, titleOf } from "./start_plan.js";

/** @typedef {import("../api/answers.js").PlanOffer} PlanOffer */

const CHOICES = [
  "start",
  "app_ids",
  "reports",
  "start_date",
  "end_date",
  "start_processing_date",
  "end_processing_date",
  "run_id",
];

/** Close, and remove the dialog's parameters from the URL. */
function close() {
  choose(Object.fromEntries(CHOICES.map((name) => [name, ""])));
}

/** @param {{ first: string }} props */
export function StartDialog({ first }) {
  const [operation, setOperation] = useState(FIELDS[first] ? first : "daily");
  const [values, setValues] = useState(() => filledFrom(route.value.choices));
  const [offer, setOffer] = useState(/** @type {PlanOffer | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [isBusy, setBusy] = useState(false);

  /**
   * One request; its result is rendered together with the end of the wait.
   * @template T
   * @param {() => Promise<T>} work
   * @param {(answer: T) => void} then
   */
  const attempt = async (work, then) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await work();
      setBusy(false);
      then(answer);
    } catch (failed) {
      if (!(failed instanceof Problem)) throw failed;
      setBusy(false);
      setProblem(failed);
    }
  };
  const plan = () =>
    attempt(() => act("POST", "plans", { operation, arguments: argumentsOf(operation, values) }), setOffer);
  const start = () =>
    attempt(
      () => act("POST", "runs", { plan_id: offer?.plan_id }),
      (started) => {
        close();
        askNow();
        go(address(`runs/${started.run_id}`));
      },
    );

  return offer
    ? html`<${Confirm} offer=${offer} problem=${problem} isBusy=${isBusy} onBack=${() => setOffer(null)} onStart=${start} />`
    : html`
        <${Dialog}
          title=${words.start.title}
          beside=${words.start.first}
          close=${words.dialog.cancel}
          onClose=${close}
          foot=${html`
            <span class="quiet grow" role="alert">${problem ? problem.detail || words.states.noAnswer : words.start.nothingYet}</span>
            <button type="button" class="button main" disabled=${isBusy || live.value === "off"} onClick=${plan}>${isBusy ? words.start.planning : words.start.show}</button>
          `}
        >
          <${Choose} operation=${operation} values=${values} fault=${problem?.field ?? ""} onOperation=${setOperation} onValues=${setValues} onSubmit=${plan} />
        </${Dialog}>
      `;
}

/**
 * @param {object} props
 * @param {PlanOffer} props.offer
 * @param {Problem | null} props.problem
 * @param {boolean} props.isBusy
 * @param {() => void} props.onBack
 * @param {() => void} props.onStart
 */
function Confirm({ offer, problem, isBusy, onBack, onStart }) {
  const { plan } = offer;
  const [typed, setTyped] = useState("");
  const isReady = !plan.confirm_word || typed.trim() === plan.confirm_word;
  const kind = plan.confirm_word ? "danger" : "main";
  return html`
    <${Dialog}
      title=${words.start.title}
      beside=${words.start.second}
      close=${words.dialog.cancel}
      onClose=${close}
      foot=${html`
        <button type="button" class="button" onClick=${onBack}>${words.dialog.back}</button>
        <span class="grow" role="alert">${problem && (problem.detail || words.states.noAnswer)}</span>
        <button
          type="button"
          class=${`button ${kind}`}
          autofocus=${!plan.confirm_word}
          disabled=${!isReady || isBusy || live.value === "off"}
          onClick=${onStart}
        >${isBusy ? words.start.starting : buttonOf(plan)}</button>
      `}
    >
      <p>${titleOf(plan)}</p>
      <${PlanTable} plan=${plan} />
      ${plan.warnings.map((warning) => html`<p class="callout">${warning}</p>`)}
      ${
        plan.confirm_word &&
        html`
          <div class="callout bad">
            ${words.start.olderNumbers}
            <label class="field">
              <span>${words.start.typeBefore} <b>${plan.confirm_word}</b> ${words.start.typeAfter}</span>
              <input
                autofocus
                autocomplete="off"
                value=${typed}
                onInput=${(/** @type {InputEvent} */ event) => setTyped(/** @type {HTMLInputElement} */ (event.currentTarget).value)}
              />
            </label>
          </div>
        `
      }
      <p class="quiet">${words.start.same} <span class="mono">./manage.py ${plan.operation}</span>${words.start.audited} ${words.start.until}</p>
    </${Dialog}>
  `;
}
