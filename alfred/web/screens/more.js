/** On a phone: the screens that have no place in the bar below. */

import { leave } from "../api.js";
import { button, h, icon } from "../dom.js";
import { t } from "../words.js";
import { page } from "./page.js";

const REST = { rules: "sparkles", flows: "workflow", reports: "chart-column", channels: "plug", settings: "settings" };

/** @param {HTMLElement} place */
export function open(place) {
  const line = ([key, picture]) => h("li", h("a.fill", { href: `#/${key}` }, icon(picture), h("span.name.grow", t(`nav.${key}`)), icon("chevron-right")));
  page(place, t("nav.more"), [], h("ul.rows", ...Object.entries(REST).map(line)), h("p.stack", button(t("logout"), leave, { picture: "log-out" })));
  return {};
}
