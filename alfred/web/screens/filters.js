/** The filters above the list: what they ask for, and which rows fit them. */

import { call } from "../api.js";
import { fill, h } from "../dom.js";
import { choice } from "../forms.js";
import { capped, counts } from "../store.js";
import { t } from "../words.js";

const STATUSES = ["open", "pending", "snoozed", "closed"];
const ORDER = ["open", "unread", "urgent", "needs_reply", "negative", "negotiation", "pending", "snoozed", "closed"];
/** The parameter of each flag. */
const FLAGS = { unread: ["unread_only", true], needs_reply: ["needs_reply", true], urgent: ["urgency", "high"], negative: ["sentiment", "negative"], negotiation: ["negotiation", true] };
const FITS = {
  unread: (row) => row.unread_count > 0,
  needs_reply: (row) => Boolean(row.waiting_since),
  urgent: (row) => row.urgency === "high",
  negative: (row) => row.sentiment === "negative",
  negotiation: (row) => row.negotiation,
};

/** What the service is asked for. */
export const asked = ({ status, tag, q, sort, flags }) => ({ status, tag, q, sort: sort === "newest" ? "" : sort, ...Object.fromEntries([...flags].map((flag) => FLAGS[flag])) });

/** The order of the list: the newest first, or who waits longest. */
export function compare(one, other, sort) {
  const waiting = sort === "waiting";
  const at = (row) => (waiting ? (row.waiting_since ?? "9") : (row.last_message_at ?? row.created_at));
  if (at(one) === at(other)) return one.id < other.id ? 1 : -1;
  return at(one) < at(other) === waiting ? -1 : 1;
}

/** Whether a row belongs under the filters; a search is not judged here. */
export const fits = (row, { status, flags, tag }) => (!status || row.status === status) && [...flags].every((flag) => FITS[flag](row)) && (!tag || row.tags.includes(tag));

/** What a search changes: it goes through all conversations, unless another filter than the usual one is on. */
export function searched({ q: before, status, usual }, q) {
  if (q && !before && status === "open") return { q, status: "", usual: true };
  if (!q && usual) return { q, status: status || "open", usual: false };
  return { q };
}

/** Pressed buttons with counts. @param {any} chosen @param {(change: any) => void} choose */
export function filterBar(chosen, choose) {
  const press = (key) => () => {
    if (STATUSES.includes(key)) return choose({ status: chosen.status === key ? "" : key });
    chosen.flags.has(key) ? chosen.flags.delete(key) : chosen.flags.add(key);
    return choose({});
  };
  const chips = ORDER.map((key) => h("button.chip", { "data-key": key, on: { click: press(key) } }, t(`filter.${key}`), h("span.figure")));
  return {
    element: h("div.chips", { role: "group", "aria-label": t("filters") }, chips),
    paint() {
      for (const chip of chips) {
        const { key } = chip.dataset;
        const count = counts[key] ?? 0;
        chip.setAttribute("aria-pressed", String(STATUSES.includes(key) ? chosen.status === key : chosen.flags.has(key)));
        chip.lastChild.hidden = !count;
        chip.lastChild.textContent = capped(count);
      }
    },
  };
}

/** The order and a tag: what no pressed button can say. @param {any} chosen @param {(change: any) => void} choose */
export function narrowing(chosen, choose) {
  const order = choice(t("sort"), ["newest", "waiting"].map((key) => [key, t(`sort.${key}`)]), chosen.sort, (sort) => choose({ sort }));
  const tag = choice(t("tag"), [], "", (value) => choose({ tag: value }), { hidden: true });
  let known = [];
  return {
    element: h("div.narrowing", order, tag),
    has: (each) => known.includes(each),
    /** Asks which tags there are. */
    async load() {
      const { items } = await call("GET", "/tags");
      known = items.map((each) => each.tag);
      const gone = chosen.tag && !known.includes(chosen.tag) ? [{ tag: chosen.tag }] : [];
      const option = (each) => h("option", { value: each.tag }, each.count ? `${each.tag} (${capped(each.count)})` : each.tag);
      fill(tag, h("option", { value: "" }, t("tag.all")), [...items, ...gone].map(option));
      tag.hidden = tag.length < 2;
      this.paint();
    },
    paint() {
      order.value = chosen.sort;
      tag.value = chosen.tag;
      tag.classList.toggle("on", Boolean(chosen.tag));
    },
  };
}
