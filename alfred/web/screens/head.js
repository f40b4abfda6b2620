/** The top of a conversation: who it is, snooze, close, tags, unread. */

import { call } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { dayOf, instant, moment, time, wallOf } from "../formats.js";
import { field, form } from "../forms.js";
import { dialog } from "../dialogs.js";
import { toast } from "../store.js";
import { t } from "../words.js";
import { avatar, mark, nameOf } from "./row.js";

const narrow = matchMedia("(max-width: 759px)");

/** @param {HTMLElement} frame @param {{change: (body: any) => Promise<any>, act: (what: string) => void, back: () => void}} about */
export function head(frame, { change, act, back }) {
  let talk = null;
  let tagging = false;
  const bar = h("header.talk-head");
  const tags = h("div.talk-tags", { hidden: true });
  const element = h("div", bar, tags);
  let menu = null;

  function show(next) {
    const before = talk && JSON.stringify([talk.contact, talk.status, talk.snoozed_until, talk.tags, talk.channel]);
    talk = next;
    if (before !== JSON.stringify([talk.contact, talk.status, talk.snoozed_until, talk.tags, talk.channel])) paint();
  }

  function paint() {
    const closed = talk.status === "closed";
    const held = bar.contains(document.activeElement) ? document.activeElement.dataset.act : "";
    fill(
      bar,
      button(t("back"), back, { bare: true, picture: "chevron-left", class: "button quiet round only-phone" }),
      avatar(talk.contact, talk.channel.type),
      h(
        "div.grow",
        h(narrow.matches ? "h1" : "h2", { class: "cut", tabindex: "-1", dir: "auto" }, nameOf(talk.contact)),
        h("p.cut.small.muted", h("bdi", talk.channel.name), " · ", h("bdi", talk.contact.handle)),
      ),
      h(
        "div.actions",
        snoozeMenu(),
        button(t(closed ? "reopen" : "close"), () => run("close"), { kind: "quiet", picture: closed ? "archive-restore" : "archive", "data-act": "close" }),
        button(t("tags"), () => run("tag"), { bare: true, picture: "tag", "data-act": "tag", class: "button quiet round wide-only", "aria-expanded": String(tagging) }),
        button(t("mark.unread"), () => act("unread"), { bare: true, picture: "mail", "data-act": "unread", class: "button quiet round wide-only" }),
        button(t("details"), details, { bare: true, picture: "info", "data-act": "details" }),
      ),
    );
    paintTags();
    if (held) bar.querySelector(`[data-act="${held}"]`)?.focus();
  }

  function details() {
    const wide = matchMedia("(min-width: 1180px)").matches;
    if (!wide) return frame.classList.toggle("unfolded");
    const folded = frame.classList.toggle("folded");
    return import("../api.js").then(({ call: ask, changed, me }) => ask("PATCH", "/me", { preferences: { ...me.preferences, panel: !folded } }).then(changed, () => {}));
  }

  function snoozeMenu() {
    const open = () => {
      if (menu.querySelector("ul")) return shut();
      menu.append(h("ul", ...moments().map(([text, at, when]) => h("li", h("button", { on: { click: () => snooze(at) } }, text, h("span.muted", when))))));
      menu.querySelector("ul button").focus();
      trigger.setAttribute("aria-expanded", "true");
    };
    const shut = () => {
      menu.querySelector("ul")?.remove();
      trigger.setAttribute("aria-expanded", "false");
      trigger.focus();
    };
    const trigger = button(t("snooze"), open, { kind: "quiet", picture: "moon", "data-act": "snooze", "aria-expanded": "false" });
    const leave = (event) => event.relatedTarget && !menu.contains(event.relatedTarget) && menu.querySelector("ul")?.remove();
    const keys = (event) => {
      const choices = [...menu.querySelectorAll("ul button")];
      const at = choices.indexOf(document.activeElement);
      if (event.key === "Escape" && choices.length) {
        event.stopPropagation();
        shut();
      }
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by && choices.length) {
        event.preventDefault();
        choices[(at + by + choices.length) % choices.length].focus();
      }
    };
    menu = h("div.menu", { on: { focusout: leave, keydown: keys } }, trigger);
    return menu;
  }

  /** An hour, tomorrow at nine, next Monday at nine, or a date of one's choice. */
  function moments() {
    const now = new Date();
    const nine = (days) => instant(`${dayOf(new Date(now.getTime() + days * 864e5))}T09:00`);
    const weekday = new Date(`${dayOf(now)}T12:00Z`).getUTCDay();
    const [hour, tomorrow, week] = [new Date(now.getTime() + 36e5).toISOString(), nine(1), nine((8 - weekday) % 7 || 7)];
    return [
      [t("snooze.hour"), hour, time(hour)],
      [t("snooze.tomorrow"), tomorrow, time(tomorrow)],
      [t("snooze.week"), week, moment(week)],
      [t("snooze.date"), null, ""],
    ];
  }

  async function snooze(at) {
    menu.querySelector("ul")?.remove();
    const until = at ?? (await askDate());
    if (!until) return;
    const before = { status: talk.status, snoozed_until: talk.snoozed_until };
    const fresh = await change({ status: "snoozed", snoozed_until: until });
    if (fresh) toast(t("snoozed.until", moment(until)), () => change(before));
  }

  const askDate = () =>
    dialog(t("snooze.date"), (close) =>
      form([field({ name: "at", label: t("snooze.when"), type: "datetime-local", value: wallOf(new Date(Date.now() + 864e5)), min: wallOf(new Date()), required: true })], t("snooze"), async ({ at }) => close(at && instant(at))),
    );

  async function paintTags() {
    bar.querySelector('[data-act="tag"]')?.setAttribute("aria-expanded", String(tagging));
    const until = talk.status === "snoozed" && talk.snoozed_until;
    tags.hidden = !tagging && !talk.tags.length && !until;
    const remove = (tag) => change({ tags: talk.tags.filter((each) => each !== tag) });
    fill(
      tags,
      until && mark("info", "moon", t("snoozed.until", moment(until))),
      ...talk.tags.map((tag) => h("span.mark", icon("tag"), h("span.cut", { dir: "auto" }, tag), h("button.linklike", { "aria-label": t("tag.remove", tag), on: { click: () => remove(tag) } }, icon("x")))),
      tagging && tagBox(),
    );
  }

  function tagBox() {
    const input = h("input.input.slim", { "aria-label": t("tag.add"), placeholder: t("tag.add"), list: "tags", maxlength: 50, on: { keydown: keys } });
    async function keys(event) {
      if (event.key === "Escape") return run("tag");
      const tag = input.value.trim();
      if (event.key !== "Enter" || event.isComposing || !tag) return undefined;
      await change({ tags: [...new Set([...talk.tags, tag])] });
      tags.querySelector("input")?.focus();
      return undefined;
    }
    const options = h("datalist", { id: "tags" });
    call("GET", "/tags").then(({ items }) => fill(options, ...items.map(({ tag }) => h("option", { value: tag }))), () => {});
    return [input, options];
  }

  async function run(what) {
    if (!talk) return;
    if (what === "snooze") return menu.querySelector("button").click();
    if (what === "tag") {
      tagging = !tagging;
      paintTags();
      if (tagging) tags.querySelector("input").focus();
      else bar.querySelector('[data-act="tag"]').focus();
      frame.classList.remove("unfolded");
      return undefined;
    }
    const before = talk.status;
    const fresh = await change({ status: before === "closed" ? "open" : "closed" });
    if (fresh?.status === "closed") toast(t("closed.now"), () => change({ status: before === "snoozed" ? "open" : before }));
    return undefined;
  }

  return { element, show, act: run };
}
