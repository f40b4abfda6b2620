/** Contacts: found by name or number; one of them in full beside the list. */

import { call } from "../api.js";
import { button, fill, h, icon, later } from "../dom.js";
import { field } from "../forms.js";
import { entitle, mishap } from "../store.js";
import { t } from "../words.js";
import { showContact } from "./contact.js";
import { askFor, filled, listing, nothing, page } from "./page.js";
import { avatar, channelIcon, mark, nameOf } from "./row.js";

const chosen = { q: "", vip: false };

/** @param {HTMLElement} place @param {string[]} path */
export function open(place, path) {
  const found = h("div.stack", { "aria-live": "polite" });
  const side = h("aside.panel.card", { "aria-label": t("contact"), hidden: true });
  const search = h("input.input", { type: "search", "aria-label": t("search"), placeholder: t("search.contacts"), value: chosen.q, maxlength: 200, on: { input: later(200, () => load({ q: search.value.trim() })) } });
  const vip = h("button.chip", { "aria-pressed": String(chosen.vip), on: { click: () => (load({ vip: !chosen.vip }), vip.setAttribute("aria-pressed", String(chosen.vip))) } }, icon("star"), t("vip"));
  const back = h("a.button.quiet", { href: "#/contacts", hidden: true }, icon("chevron-left"), t("back"));
  const left = h("section.stack.found", h("div.together", h("div.search.grow", icon("search"), search), vip), found);
  const split = h("div.split.people", left, side);
  page(place, t("nav.contacts"), [back, button(t("contact.new"), add, { kind: "primary", picture: "plus" })], split);
  let panel = null;
  let shown = "";

  function load(change = {}) {
    Object.assign(chosen, change);
    listing(found, "/contacts", chosen, (items) => h("ul.rows", ...items.map(line)), () => (chosen.q || chosen.vip ? nothing("users", t("nobody")) : nothing("users", t("contacts.empty"), button(t("contact.new"), add, { picture: "plus" }))));
  }

  const line = (contact) =>
    h(
      "li",
      h(
        "a.fill",
        { href: `#/contacts/${contact.id}`, "aria-current": contact.id === shown && "true" },
        avatar(contact),
        h("span.grow.lines", h("span.name.cut", { dir: "auto" }, nameOf(contact)), h("span.small.muted.cut", contact.name ? contact.handle : t(`channel.${contact.channel_type}`))),
        contact.settings.vip && mark("vip", "star", t("vip")),
        icon(channelIcon(contact.channel_type), contact.channel_type),
      ),
    );

  async function turn([id = ""]) {
    shown = id;
    panel?.leave();
    panel = null;
    side.hidden = !id;
    split.classList.toggle("chosen", Boolean(id));
    back.hidden = !id;
    found.querySelectorAll("a.fill").forEach((link) => (link.hash === `#/contacts/${id}` ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    if (!id) return entitle(t("nav.contacts"));
    fill(side);
    try {
      const contact = await call("GET", `/contacts/${id}`);
      if (shown !== id) return undefined;
      entitle(nameOf(contact));
      panel = showContact(side, null, { contact });
    } catch (problem) {
      fill(side, mishap(problem));
    }
    return undefined;
  }

  async function add() {
    const fields = [
      field({ name: "name", label: t("name"), maxlength: 200 }),
      field({ name: "handle", label: t("handle"), hint: t("handle.hint"), maxlength: 256 }),
      field({ name: "notes", label: t("notes"), rows: 3, maxlength: 10000 }),
    ];
    const made = await askFor(t("contact.new"), fields, t("contact.make"), (values) => call("POST", "/contacts", filled(values)));
    if (!made) return;
    load();
    location.hash = `#/contacts/${made.id}`;
  }

  load();
  turn(path);
  return { turn, leave: () => panel?.leave(), keys: { "/": () => search.focus(), Escape: () => (location.hash = "#/contacts") } };
}
