/** The entry point of the console. */

import { render } from "preact";
import { Console } from "./pages/console.js";
import { html } from "./parts/html.js";
import { followKeys } from "./state/keys.js";
import { followChanges } from "./state/live.js";
import { followAddress } from "./state/route.js";
import { openSession } from "./state/session.js";

followAddress();
followKeys();
followChanges();
openSession();
render(html`<${Console} />`, /** @type {HTMLElement} */ (document.getElementById("console")));
