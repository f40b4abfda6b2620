/** One conversation of the list. */

import { fill, h, icon } from "../dom.js";
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

/** The row of a conversation; an old one is filled anew, so that focus stays. */
export function row(item, old, { open, picking, picked, pick }) {
  const name = nameOf(item.contact);
  const unread = item.unread_count > 0;
  const marks = marksOf(item);
  const status = item.status !== "open" && mark("", { pending: "clock", snoozed: "moon", closed: "archive" }[item.status], t(`status.${item.status}`));
  const tags = item.tags.slice(0, 4).map((tag) => mark("", "tag", tag));
  const snippet = item.match?.excerpt ?? item.snippet ?? "";
  const link = old?.querySelector("a") ?? h("a");
  link.href = `#/inbox/${item.id}${item.match?.message_id ? `/${item.match.message_id}` : ""}`;
  open ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  fill(
    link,
    avatar(item.contact, item.channel.type),
    h(
      "span.lines",
      h(
        "span.line",
        h("span.name.cut", { dir: "auto" }, name),
        item.contact.vip && mark("vip", "star", t("vip")),
        item.last_message_at && h("time", { datetime: item.last_message_at, title: whole(item.last_message_at) }, brief(item.last_message_at)),
      ),
      h(
        "span.line",
        h("span.snippet.cut", { dir: "auto" }, item.last_message_direction === "outbound" && !item.match ? `${t("you")} ${snippet}` : snippet || t("no.text")),
        unread && h("span.badge", item.unread_count > 99 ? "99+" : item.unread_count, h("span.away", ` ${t("unread")}`)),
      ),
      h("span.line.marks", status, marks, tags, !tags.length && h("span.cut", item.channel.name)),
    ),
  );
  const box =
    picking &&
    h("input", { type: "checkbox", class: "check", checked: picked, "aria-label": t("select.one", name), tabindex: "-1", on: { change: (event) => pick(item.id, event.target.checked) } });
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
