/** What the screens beside the inbox have in common: a heading, a list that can be read on. */

import { call, query } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { dialog } from "../dialogs.js";
import { form } from "../forms.js";
import { mishap } from "../store.js";
import { t } from "../words.js";

/** A page with its heading. @param {HTMLElement} place @param {string} title @param {any[]} actions @param {...any} content */
export function page(place, title, actions, ...content) {
  const element = h("main.page", h("header", h("h1", { tabindex: "-1" }, title), h("div.actions", ...actions)), ...content);
  fill(place, element);
  return element;
}

/** Nothing there yet, and what to do about it. */
export const nothing = (picture, text, ...actions) => h("div.empty", icon(picture), h("p.muted", text), ...actions);

/**
 * A list in a place, page by page.
 * @param {HTMLElement} place @param {string} path @param {Record<string, any>} filter
 * @param {(items: any[]) => any} show what stands for the items @param {() => any} empty
 */
export async function listing(place, path, filter, show, empty, items = [], cursor = "") {
  try {
    const told = await call("GET", path + query({ limit: 50, ...filter, cursor }));
    const all = [...items, ...told.items];
    const more = button(t("more"), () => listing(place, path, filter, show, empty, all, told.next_cursor), {});
    fill(place, all.length ? show(all) : empty(), told.has_more && more);
    return told;
  } catch (problem) {
    if (problem.name !== "AbortError") fill(place, mishap(problem, () => listing(place, path, filter, show, empty)));
    return null;
  }
}

/** A form in a dialog; true when it was sent. @returns {Promise<any>} */
export const askFor = (title, fields, action, send) => dialog(title, (close) => form(fields, action, async (values) => close((await send(values)) ?? true)));

/** What is left out is not sent. @param {Record<string, string>} values */
export const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => String(value).trim() !== ""));
