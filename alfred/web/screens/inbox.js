/** The list of conversations: filters, search, sorting, choosing many; and the panes beside it. */

import { call, query } from "../api.js";
import { button, fill, h, icon, later } from "../dom.js";
import { virtualList } from "../list.js";
import { counted, entitle, mishap, preference } from "../store.js";
import { again, burst, frames, states } from "../topics.js";
import { learn, t } from "../words.js";
import { asked, compare, filterBar, fits, narrowing, searched } from "./filters.js";
import { listener } from "./heard.js";
import { row } from "./row.js";

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
  const live = h("span.live", { role: "status" });
  const search = h("input.input", { type: "search", "aria-label": t("search"), placeholder: t("search.hint"), value: chosen.q, maxlength: 200, on: { input: later(200, () => choose(searched(chosen, search.value.trim()))) } });
  const bar = filterBar(chosen, choose);
  const bulk = h("div");
  const narrow = narrowing(chosen, choose);
  const many = button(t("select.many"), () => setPicking(!picking), { bare: true, picture: "square-check" });
  const left = h(
    "section.pane.list-pane",
    { "aria-label": t("nav.inbox") },
    h(
      "div.list-head",
      h("div.spread", h("h1", { tabindex: "-1" }, t("nav.inbox")), h("span.together", live, many)),
      h("div.search", icon("search"), search),
      bar.element,
      narrow.element,
    ),
    bulk,
    told,
    list.element,
    fresh,
  );
  const middle = h("main.pane.talk");
  const right = h("aside.panel", { "aria-label": t("contact") });
  const frame = h("div.inbox.unopened", left, middle, right);
  fill(place, frame);
  nothingOpen();

  function choose(change) {
    Object.assign(chosen, change);
    paintFilters();
    reload();
  }

  const filter = () => asked(chosen);

  function paintFilters() {
    bar.paint();
    narrow.paint();
  }

  /** Reads the first page under the filter, and shows nothing else. */
  async function reload() {
    items = [];
    picked.clear();
    list.toTop();
    loading = null;
    const slow = setTimeout(() => fill(told, [1, 2, 3].map(() => h("div.skeleton"))), 300);
    await refresh();
    clearTimeout(slow);
  }

  /** Reads the first page anew and keeps what was loaded below it. */
  async function refresh() {
    const wanted = query(filter());
    ear.forget();
    try {
      const page = await call("GET", `/conversations${query({ ...filter(), limit: 50 })}`);
      if (wanted !== query(filter())) return;
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
  const ear = listener({
    rows: () => items,
    stays: (row) => fits(row, chosen) || row.id === opened,
    unsure: () => chosen.q || chosen.sort === "waiting",
    show: (next) => ((items = next), paint()),
    ask: soon,
  });

  async function more() {
    if (!cursor || loading) return;
    const mine = (loading = {});
    const wanted = query(filter());
    try {
      const page = await call("GET", `/conversations${query({ ...filter(), limit: 100, cursor })}`);
      if (mine !== loading || wanted !== query(filter())) return;
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

  const order = (one, other) => compare(one, other, chosen.sort);

  let painting = 0;
  function paint() {
    painting ||= requestAnimationFrame(() => {
      painting = 0;
      list.show(items.sort(order), !cursor);
      if (!items.length && !cursor && !told.firstChild) fill(told, nothing());
      else if (items.length && told.querySelector(".empty")) fill(told);
    });
  }

  function nothing() {
    const narrowed = chosen.q || chosen.tag || chosen.flags.size || chosen.status !== "open";
    if (narrowed) return h("div.empty", icon("search"), h("p", t("empty.filter")), chosen.q && (chosen.tag || chosen.flags.size || chosen.status) && button(t("search.all"), () => choose({ tag: "", status: "", flags: new Set() }), {}), button(t("filter.clear"), clear, {}));
    const place = h("div.empty", icon("inbox"), h("p", t("empty.inbox")));
    Promise.all([import("./first.js"), learn()]).then(([{ first }]) => first(place));
    return place;
  }

  function clear() {
    search.value = "";
    choose({ q: "", tag: "", status: "open", flags: new Set(), usual: false });
  }

  /** A change made here is seen here at once. */
  function replace(next) {
    items = items.map((item) => (item.id === next.id ? { ...item, ...next } : item));
    if (next.tags.some((tag) => !narrow.has(tag))) narrow.load().catch(() => {});
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
    const [{ actions }] = await Promise.all([import("./bulk.js"), learn()]);
    return fill(bulk, actions({ ids: [...picked], filter: filter(), all: () => (items.forEach((item) => picked.add(item.id)), paintBulk(), list.render()), done: () => (setPicking(false), soon()) }));
  }

  function nothingOpen() {
    fill(middle, h("div.empty", icon("message-square-text"), h("p.muted", t("empty.talk"))));
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

  const act = (name) => () => talk?.act(name);
  const offs = [frames.on(ear.hear), again.on(soon), counted.on(paintFilters), states.on(paintLive)];
  function paintLive() {
    live.textContent = t(`live.${states.now}`);
    live.classList.toggle("on", states.now === "live");
  }
  paintLive();
  paintFilters();
  const ready = reload();
  ready.then(narrow.load.bind(narrow)).catch(() => {}); // the list is there without it
  turn(path);

  return {
    ready,
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
