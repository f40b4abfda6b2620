/** Two contacts that are one person: found, seen side by side, made one. */

import { call, query } from "../api.js";
import { button, fill, h, later } from "../dom.js";
import { dialog } from "../dialogs.js";
import { attempt } from "../store.js";
import { t } from "../words.js";
import { avatar, nameOf } from "./row.js";

/** Asks who else this is, and which stays; the id of the one that does. @returns {Promise<string>} */
export function mergeInto(contact) {
  return dialog(t("merge.title", nameOf(contact)), (close) => {
    const found = h("div.stack", { "aria-live": "polite" });
    const look = later(200, async () => {
      const page = await attempt(() => call("GET", `/contacts${query({ q: search.value.trim(), limit: 6 })}`));
      const others = (page?.items ?? []).filter((each) => each.id !== contact.id);
      fill(found, others.length ? others.map((other) => h("button.button", { on: { click: () => compare(other) } }, avatar(other), h("span.grow.cut", { dir: "auto" }, nameOf(other)), h("span.muted.cut", other.handle))) : h("p.muted", t("nobody")));
    });
    const search = h("input.input", { type: "search", "aria-label": t("merge.search"), placeholder: t("search.contacts"), on: { input: look } });
    const body = h("div.stack", h("p.muted", t("merge.hint")), search, found);
    look();

    function compare(other, stays = contact) {
      const goes = stays === contact ? other : contact;
      const side = (each, told) => h("div.card.stack", h("h3", told), avatar(each), h("strong", { dir: "auto" }, nameOf(each)), ...each.identities.map((known) => h("span.small.breaks", known.value)), each.notes && h("p.small.muted.breaks", each.notes));
      const join = async () => (await attempt(() => call("POST", `/contacts/${stays.id}/merge`, { contact_id: goes.id }))) && close(stays.id);
      fill(
        body,
        h("div.cards", side(stays, t("merge.stays")), side(goes, t("merge.goes"))),
        h("div", button(t("merge.swap"), () => compare(other, goes), { picture: "arrow-up-down" })),
        h("p.small.muted", t("merge.undo")),
        h("div.ends", button(t("cancel"), () => close(false)), button(t("merge.do"), join, { kind: "primary" })),
      );
    }
    return body;
  });
}
