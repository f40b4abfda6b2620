/** The list of shortcuts. */

import { h } from "../dom.js";
import { dialog } from "../dialogs.js";
import { learn, t } from "../words.js";

const KEYS = { "j k": "move", Enter: "open", r: "write", e: "close", h: "snooze", t: "tag", u: "unread", x: "select", "/": "search", "g i": "inbox", "g t": "tasks", "g c": "contacts", "g r": "rules", Esc: "back", "?": "help" };

export async function show() {
  await learn();
  return dialog(t("shortcuts"), (close) => [list(), h("div.ends", h("button.button", { on: { click: () => close() } }, t("done")))]);
}

export const list = () => h("dl.facts", ...Object.entries(KEYS).map(([keys, what]) => h("div", h("dt", t(`key.${what}`)), h("dd", ...keys.split(" ").flatMap((key) => [h("kbd", key), " "])))));
