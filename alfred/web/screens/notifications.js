/** Notifications: what wants to be seen; on the desktop too, for those who ask for it. */

import { call, changed, me } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { brief, whole } from "../formats.js";
import { attempt, preference, rebell, toast } from "../store.js";
import { burst, frames } from "../topics.js";
import { t } from "../words.js";
import { listing, nothing, page } from "./page.js";

const PICTURES = { urgent_message: "flame", overdue_task: "clock", stalled_lead: "moon", rule_match: "sparkles", delivery_failed: "circle-alert", channel_error: "plug" };

/** @param {HTMLElement} place */
export function open(place) {
  let seen = "";
  const body = h("div.stack");
  const chip = (value, text) => h("button.chip", { "aria-pressed": String(seen === value), on: { click: (event) => show(value, event.currentTarget) } }, text);
  const chips = h("div.together", { role: "group", "aria-label": t("filters") }, chip("", t("all")), chip("false", t("bell.unseen")));
  const desktop = "Notification" in window && Notification.permission !== "denied" && !(Notification.permission === "granted" && preference("desktop", false)) && button(t("bell.desktop"), ask, { picture: "bell-ring" });
  page(place, t("nav.notifications"), [desktop, button(t("bell.all"), all, { picture: "check-check" })], h("div.stack", chips, body));

  function show(value, pressed) {
    seen = value;
    chips.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === pressed)));
    load();
  }

  const load = () => listing(body, "/notifications", { seen }, (items) => h("ul.rows", ...items.map(line)), () => nothing("bell", t("bell.empty")));

  function line(each) {
    const to = each.conversation_id ? `#/inbox/${each.conversation_id}` : each.task_id ? "#/tasks" : each.rule_id ? "#/rules" : each.contact_id ? `#/contacts/${each.contact_id}` : "#/notifications";
    const look = () => each.seen || mark(each, true);
    return h(
      "li",
      { class: each.seen ? "" : "unseen" },
      icon(PICTURES[each.type] ?? "bell"),
      h(
        "a.fill",
        { href: to, on: { click: look } },
        h("span.grow.lines", h("span.name.cut", { dir: "auto" }, each.seen ? each.title : h("strong", each.title)), each.body && h("span.small.muted.cut", { dir: "auto" }, each.body)),
        h("time.small.muted", { datetime: each.created_at, title: whole(each.created_at) }, brief(each.created_at)),
      ),
      button(t(each.seen ? "bell.unsee" : "bell.see"), () => mark(each, !each.seen), { bare: true, picture: each.seen ? "mail" : "check" }),
    );
  }

  async function mark(each, value) {
    await attempt(() => call("PATCH", `/notifications/${each.id}`, { seen: value }));
    rebell();
    load();
  }

  async function all() {
    const told = await attempt(() => call("POST", "/notifications/seen", { all: true }));
    if (told) toast(t("bell.done", told.updated));
    rebell();
    load();
  }

  async function ask() {
    if ((await Notification.requestPermission()) !== "granted") return toast(t("bell.refused"));
    fill(desktop, t("bell.on"));
    desktop.disabled = true;
    const preferences = { ...me.preferences, desktop: true };
    return attempt(async () => changed(await call("PATCH", "/me", { preferences })));
  }

  load();
  const soon = burst(load, 1000);
  return { leave: frames.on(({ type }) => type === "notification.created" && soon()) };
}
