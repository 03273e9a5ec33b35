/** Downloads the numbers of a chart as a file, with the same request. */

import { useState } from "preact/hooks";
import { askForCsv } from "../api/client.js";
import { Problem } from "../api/problem.js";
import { words } from "../words/en.js";
import { html } from "./html.js";

/** @param {{ path: string, name: string }} props */
export function CsvButton({ path, name }) {
  const [problem, setProblem] = useState("");
  const download = async () => {
    try {
      save(await askForCsv(path), name);
      setProblem("");
    } catch (failed) {
      if (!(failed instanceof Problem)) throw failed;
      setProblem(failed.detail || words.states.noAnswer);
    }
  };
  return html`
    <button type="button" class="button slim bare" onClick=${download}>${words.chart.csv}</button>
    <span role="status">${problem}</span>
  `;
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
