/** The list of conversations: filters, search, sorting, choosing many; and the panes beside it. */

import { call, query } from "../api.js";
import { button, fill, h, icon, later } from "../dom.js";
import { virtualList } from "../list.js";
import { counted, counts, entitle, mishap, preference } from "../store.js";
import { again, burst, frames, states } from "../topics.js";
import { learn, t } from "../words.js";
import { row, rowOf } from "./row.js";

const STATUSES = ["open", "pending", "snoozed", "closed"];
const FLAGS = { unread: ["unread_only", true], needs_reply: ["needs_reply", true], urgent: ["urgency", "high"], negative: ["sentiment", "negative"], negotiation: ["negotiation", true] };
const ORDER = ["open", "unread", "needs_reply", "urgent", "negative", "negotiation", "pending", "snoozed", "closed"];
const FITS = {
  unread: (row) => row.unread_count > 0,
  needs_reply: (row) => row.last_message_direction === "inbound" && row.status !== "closed",
  urgent: (row) => row.urgency === "high",
  negative: (row) => row.sentiment === "negative",
  negotiation: (row) => row.negotiation,
};
/** Kept while other screens are visited. */
const chosen = { status: "open", flags: new Set(), q: "", sort: "newest", tag: "" };

/** @param {HTMLElement} place @param {string[]} path */
export function open(place, path) {
  let items = [];
  let cursor = null;
  let loading = null;
  let opened = "";
  let talk = null;
  const picked = new Set();
  let picking = false;

  const list = virtualList({
    label: t("conversations"),
    height: 88,
    key: (item) => item.id,
    version: (item) => `${JSON.stringify(item)}${item.id === opened}${picking}${picked.has(item.id)}`,
    build: (item, old) => row(item, old, { open: item.id === opened, picking, picked: picked.has(item.id), pick }),
    more,
    fresh: (count) => fill(fresh, count ? button(t("fresh", count), list.toTop, { kind: "primary", picture: "arrow-down", class: "button primary fresh" }) : ""),
  });
  const fresh = h("div");
  const told = h("div");
  const live = h("span", { class: "live", role: "status" });
  const search = h("input", { class: "input", type: "search", "aria-label": t("search"), placeholder: t("search.hint"), value: chosen.q, maxlength: 200, on: { input: later(200, () => choose({ q: search.value.trim() })) } });
  const chips = h("div", { class: "chips", role: "group", "aria-label": t("filters") });
  const bulk = h("div");
  const sort = button("", () => choose({ sort: chosen.sort === "newest" ? "waiting" : "newest" }), { bare: true, picture: "arrow-up-down" });
  const many = button(t("select.many"), () => setPicking(!picking), { bare: true, picture: "square-check" });
  const left = h(
    "section",
    { class: "pane list-pane", "aria-label": t("nav.inbox") },
    h(
      "div",
      { class: "list-head" },
      h("div", { class: "spread" }, h("h1", { tabindex: "-1" }, t("nav.inbox")), h("span", { class: "together" }, live, sort, many)),
      h("div", { class: "search" }, icon("search"), search),
      chips,
    ),
    bulk,
    told,
    list.element,
    fresh,
  );
  const middle = h("main", { class: "pane talk" });
  const right = h("aside", { class: "panel", "aria-label": t("contact") });
  const frame = h("div", { class: "inbox unopened" }, left, middle, right);
  fill(place, frame);
  nothingOpen();

  function choose(change) {
    Object.assign(chosen, change);
    paintFilters();
    reload();
  }

  const filter = () => ({
    status: chosen.status,
    tag: chosen.tag,
    q: chosen.q,
    sort: chosen.sort === "newest" ? "" : chosen.sort,
    ...Object.fromEntries([...chosen.flags].map((flag) => FLAGS[flag])),
  });

  function paintFilters() {
    const chip = (key) => {
      const isStatus = STATUSES.includes(key);
      const on = isStatus ? chosen.status === key : chosen.flags.has(key);
      const click = () => {
        if (isStatus) return choose({ status: on ? "" : key });
        on ? chosen.flags.delete(key) : chosen.flags.add(key);
        return choose({});
      };
      const count = counts[key];
      return h("button", { type: "button", class: "chip", "aria-pressed": String(on), "data-key": key, on: { click } }, t(`filter.${key}`), count ? h("span", { class: "figure" }, count >= 1000 ? "999+" : count) : "");
    };
    const tag = chosen.tag && h("button", { type: "button", class: "chip", "aria-pressed": "true", on: { click: () => choose({ tag: "" }) } }, icon("tag"), chosen.tag, icon("x"));
    const held = chips.contains(document.activeElement) && document.activeElement.dataset.key;
    fill(chips, tag, ORDER.map(chip));
    if (held) chips.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
    const waiting = chosen.sort === "waiting";
    sort.setAttribute("aria-label", t(waiting ? "sort.newest" : "sort.waiting"));
    sort.title = sort.getAttribute("aria-label");
    sort.setAttribute("aria-pressed", String(waiting));
  }

  /** Reads the first page under the filter, and shows nothing else. */
  async function reload() {
    items = [];
    picked.clear();
    list.toTop();
    loading = null;
    const slow = setTimeout(() => fill(told, [1, 2, 3].map(() => h("div", { class: "skeleton" }))), 300);
    try {
      await refresh();
    } finally {
      clearTimeout(slow);
    }
  }

  /** Reads the first page anew and keeps what was loaded below it. */
  async function refresh() {
    const asked = query(filter());
    try {
      const page = await call("GET", `/conversations${query({ ...filter(), limit: 50 })}`);
      if (asked !== query(filter())) return;
      const ids = new Set(page.items.map((item) => item.id));
      const edge = page.items.at(-1);
      const rest = page.has_more && edge ? items.filter((item) => !ids.has(item.id) && order(item, edge) > 0) : [];
      const stays = items.find((item) => item.id === opened && !ids.has(item.id) && !rest.includes(item));
      items = [...page.items, ...rest, ...(stays ? [stays] : [])].sort(order);
      if (!rest.length) cursor = page.next_cursor;
      fill(told);
      paint();
    } catch (problem) {
      if (problem.status !== 401) fill(told, mishap(problem, reload));
    }
  }
  const soon = burst(refresh);

  async function more() {
    if (!cursor || loading) return;
    const mine = (loading = {});
    const asked = query(filter());
    try {
      const page = await call("GET", `/conversations${query({ ...filter(), limit: 100, cursor })}`);
      if (mine !== loading || asked !== query(filter())) return;
      const ids = new Set(items.map((item) => item.id));
      items = [...items, ...page.items.filter((item) => !ids.has(item.id))].sort(order);
      cursor = page.next_cursor;
    } catch (problem) {
      return fill(told, mishap(problem, () => (fill(told), more())));
    } finally {
      if (mine === loading) loading = null;
    }
    paint();
  }

  const moment = (item) => (chosen.sort === "waiting" ? (item.waiting_since ?? "9") : item.last_message_at ?? item.created_at);
  function order(one, other) {
    const way = chosen.sort === "waiting" ? 1 : -1;
    return moment(one) === moment(other) ? (one.id < other.id ? 1 : -1) : moment(one) < moment(other) ? -way : way;
  }

  let painting = 0;
  function paint() {
    painting ||= requestAnimationFrame(() => {
      painting = 0;
      list.show(items, !cursor);
      if (!items.length && !told.firstChild) fill(told, nothing());
      else if (items.length && told.querySelector(".empty")) fill(told);
    });
  }

  function nothing() {
    const narrowed = chosen.q || chosen.tag || chosen.flags.size || chosen.status !== "open";
    if (narrowed) return h("div", { class: "empty" }, icon("search"), h("p", {}, t("empty.filter")), button(t("filter.clear"), clear, {}));
    const place = h("div", { class: "empty" }, icon("inbox"), h("p", {}, t("empty.inbox")));
    Promise.all([import("./first.js"), learn()]).then(([{ first }]) => first(place));
    return place;
  }

  function clear() {
    search.value = "";
    chosen.flags.clear();
    choose({ q: "", tag: "", status: "open" });
  }

  /** What the stream tells goes into its row without a request; what it does not tell is asked for. */
  function hear({ type, data }) {
    const about = data.conversation;
    if (type === "message.deleted" || type === "contact.merged" || (about && chosen.q) || chosen.sort === "waiting") return soon();
    if (!about || !(type.startsWith("message.") || type.startsWith("conversation."))) return undefined;
    const old = items.find((item) => item.id === about.id);
    const next = rowOf(old, data);
    if (!next) return soon();
    const fits = (!chosen.status || next.status === chosen.status) && [...chosen.flags].every((flag) => FITS[flag](next)) && (!chosen.tag || next.tags.includes(chosen.tag));
    items = items.filter((item) => item.id !== about.id);
    if (fits || next.id === opened) items = [...items, next].sort(order);
    if (!cursor || items.length < 200 || items.indexOf(next) < items.length - 1) paint();
  }

  /** A change made here is seen here at once. */
  function replace(next) {
    items = items.map((item) => (item.id === next.id ? { ...item, ...next } : item));
    paint();
  }

  function pick(id, on) {
    on ? picked.add(id) : picked.delete(id);
    paintBulk();
    list.render();
  }

  function setPicking(on) {
    picking = on;
    if (!on) picked.clear();
    many.setAttribute("aria-pressed", String(on));
    paintBulk();
    list.render();
  }

  async function paintBulk() {
    if (!picking) return fill(bulk);
    const [{ bar }] = await Promise.all([import("./bulk.js"), learn()]);
    return fill(bulk, bar({ ids: [...picked], filter: filter(), all: () => (items.forEach((item) => picked.add(item.id)), paintBulk(), list.render()), done: () => (setPicking(false), soon()) }));
  }

  function nothingOpen() {
    fill(middle, h("div", { class: "empty" }, icon("message-square-text"), h("p", { class: "muted" }, t("empty.talk"))));
    fill(right);
  }

  async function turn([id = "", message = ""]) {
    const before = opened;
    opened = id;
    frame.classList.toggle("unopened", !id);
    frame.classList.remove("unfolded");
    frame.classList.toggle("folded", preference("panel", true) === false);
    if (before && before !== id) refresh();
    list.render();
    talk?.leave();
    talk = null;
    if (!id) {
      nothingOpen();
      entitle(t("nav.inbox"));
      if (before) list.focus(before);
      return;
    }
    list.choose(id);
    const [{ openTalk }] = await Promise.all([import("./conversation.js"), learn()]);
    if (opened === id) talk = openTalk(middle, right, frame, { id, message, replace, row: items.find((item) => item.id === id) });
  }

  const act = (name) => () => (talk ? talk.act(name) : undefined);
  const offs = [frames.on(hear), again.on(soon), counted.on(paintFilters), states.on(paintLive)];
  function paintLive() {
    live.textContent = t(`live.${states.now}`);
    live.classList.toggle("on", states.now === "live");
  }
  paintLive();
  paintFilters();
  reload();
  turn(path);

  return {
    turn,
    leave() {
      offs.forEach((off) => off());
      talk?.leave();
    },
    keys: {
      j: () => list.step(1),
      k: () => list.step(-1),
      Enter: () => list.active() && (location.hash = `#/inbox/${list.active()}`),
      "/": () => search.focus(),
      x: () => (picking || setPicking(true), pick(list.active(), !picked.has(list.active()))),
      r: act("write"),
      e: act("close"),
      h: act("snooze"),
      t: act("tag"),
      u: act("unread"),
      Escape: () => (picking ? setPicking(false) : (location.hash = "#/inbox")),
    },
  };
}
