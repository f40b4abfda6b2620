/** One conversation of the list. */

import { fill, h, icon, keyed } from "../dom.js";
import { brief, whole } from "../formats.js";
import { t } from "../words.js";

const CHANNELS = { whatsapp: "message-circle", instagram: "camera", messenger: "zap", email: "mail" };

export const channelIcon = (type) => CHANNELS[type] ?? "message-circle";
export const nameOf = (contact) => contact.name || contact.handle;

/** Initials on a ground that is always the same for one person. */
export function avatar(contact, channel, kind = "") {
  const name = nameOf(contact);
  const letters = name.match(/\p{L}\p{M}*/u) ? name.split(/\s+/).filter((word) => /^\p{L}/u.test(word)) : [];
  const initials = [letters[0], letters.length > 1 ? letters.at(-1) : ""].map((word) => (word ? String.fromCodePoint(word.codePointAt(0)) : "")).join("").toUpperCase();
  const hue = [...contact.id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) % 6;
  return h("span", { class: `avatar hue${hue} ${kind}`, "aria-hidden": "true" }, initials || name.replace(/\D/g, "").slice(0, 1) || "#", channel && icon(channelIcon(channel)));
}

/** A mark: never by colour alone, always with its word. */
export const mark = (kind, picture, text) => h("span", { class: `mark ${kind}` }, icon(picture), h("span.cut", { dir: "auto" }, text));

export function marksOf(item) {
  return [
    item.last_message_failed && mark("danger", "circle-alert", t("state.failed")),
    item.urgency === "high" && mark("danger", "flame", t("urgent")),
    item.sentiment === "negative" && mark("warn", "frown", t("unhappy")),
    item.sentiment === "positive" && mark("good", "smile", t("happy")),
    item.negotiation && mark("info", "handshake", t("pricetalk")),
  ].filter(Boolean);
}

const stands = new WeakMap();
const partsOf = (element) => stands.get(element) ?? stands.set(element, new Map()).get(element);

const who = ({ contact, last_message_at }) =>
  h(
    "span.line",
    h("span.name.cut", { dir: "auto" }, nameOf(contact)),
    contact.vip && mark("vip", "star", t("vip")),
    last_message_at && h("time", { datetime: last_message_at, title: whole(last_message_at) }, brief(last_message_at)),
  );

function said({ match, snippet, last_message_direction, unread_count }) {
  const text = match?.excerpt ?? snippet ?? "";
  return h(
    "span.line",
    h("span.snippet.cut", { dir: "auto" }, last_message_direction === "outbound" && !match ? `${t("you")} ${text}` : text || t("no.text")),
    unread_count > 0 && h("span.badge", unread_count > 99 ? "99+" : unread_count, h("span.away", ` ${t("unread")}`)),
  );
}

function marked(item) {
  const { status, tags, channel } = item;
  return h(
    "span.line.marks",
    status !== "open" && mark("", { pending: "clock", snoozed: "moon", closed: "archive" }[status], t(`status.${status}`)),
    marksOf(item),
    tags.length ? tags.slice(0, 4).map((tag) => mark("", "tag", tag)) : h("span.cut", { dir: "auto" }, channel.name),
  );
}

/** The row of a conversation; of an old one what has changed is built anew, so that focus stays and a storm costs little. */
export function row(item, old, { open, picking, picked, pick }) {
  const { contact, channel } = item;
  const name = nameOf(contact);
  const unread = item.unread_count > 0;
  const link = old?.querySelector("a") ?? h("a");
  link.href = `#/inbox/${item.id}${item.match?.message_id ? `/${item.match.message_id}` : ""}`;
  open ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  keyed(link, partsOf(link), [
    ["face", `${contact.id}${name}${channel.type}`, () => avatar(contact, channel.type)],
    ["lines", "", () => h("span.lines")],
  ]);
  const shown = [
    ["who", [name, contact.vip, item.last_message_at], who],
    ["said", [item.match, item.snippet, item.last_message_direction, item.unread_count], said],
    ["marks", [item.status, item.tags, channel.name, item.last_message_failed, item.urgency, item.sentiment, item.negotiation], marked],
  ];
  keyed(link.lastChild, partsOf(link.lastChild), shown.map(([key, values, build]) => [key, JSON.stringify(values), () => build(item)]));
  const box =
    picking &&
    h("label.pick", h("input.check", { type: "checkbox", checked: picked, "aria-label": t("select.one", name), tabindex: "-1", on: { change: (event) => pick(item.id, event.target.checked) } }));
  const element = old ?? h("div", { role: "listitem", "data-id": item.id });
  element.className = `row${unread ? " unread" : ""}`;
  element.dataset.open = String(open);
  const before = element.firstElementChild;
  if (!old) fill(element, box, link);
  else {
    if (before !== link) before.remove();
    if (box) element.prepend(box);
  }
  return element;
}
