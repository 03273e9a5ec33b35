/** The console begins here. */

import { render } from "preact";
import { html } from "./parts/html.js";
import { followChanges } from "./state/live.js";
import { followAddress } from "./state/route.js";

followAddress();
followChanges();
render(html`<main></main>`, /** @type {HTMLElement} */ (document.getElementById("console")));
