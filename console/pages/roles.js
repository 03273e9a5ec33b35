/** The rights of each role. The list is a copy of the API's, and a test compares the two. */

import { html } from "../parts/html.js";
import { Panel } from "../parts/panel.js";
import { words } from "../words/en.js";

/** The rights by their names in the API, each with the lowest role that has it. */
export const LEAST_ROLE = /** @type {[right: string, role: "viewer" | "operator" | "admin"][]} */ ([
  ["read", "viewer"],
  ["keep views", "viewer"],
  ["subscribe", "viewer"],
  ["annotate", "operator"],
  ["start runs", "operator"],
  ["manage people", "admin"],
  ["read the audit log", "admin"],
]);

const ROLES = ["viewer", "operator", "admin"];

export function Roles() {
  return html`
    <${Panel} title=${words.roles.title} beside=${words.roles.beside} foot=${html`<span>${words.roles.note}</span>`}>
      <div class="scroll" tabindex="-1">
        <table class="roles">
          <caption class="unseen">${words.roles.title}</caption>
          <thead>
            <tr>
              <th scope="col">${words.roles.may}</th>
              ${ROLES.map((role) => html`<th scope="col" class="middle">${role}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${LEAST_ROLE.map(
              ([right, least]) => html`
                <tr>
                  <th scope="row">${/** @type {Record<string, string>} */ (words.roles.rights)[right]}</th>
                  ${ROLES.map((role) => html`<td class="middle"><${Tick} isTicked=${ROLES.indexOf(role) >= ROLES.indexOf(least)} /></td>`)}
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </${Panel}>
  `;
}

/** @param {{ isTicked: boolean }} props */
function Tick({ isTicked }) {
  return isTicked
    ? html`<span class="mark family-good" role="img" aria-label=${words.roles.yes}>✓</span>`
    : html`<span class="quiet" role="img" aria-label=${words.roles.no}>–</span>`;
}
