/** A message as a bubble: text, files, quote, state, and why it was not sent. */

import { call } from "../api.js";
import { button, h, icon } from "../dom.js";
import { size, time, whole } from "../formats.js";
import { dialog } from "../dialogs.js";
import { attempt, toast } from "../store.js";
import { known, t } from "../words.js";
import { outbox } from "./outbox.js";

const STATES = { scheduled: "calendar", queued: "clock", sending: "clock", sent: "check", delivered: "check-check", read: "check-check", failed: "circle-alert", cancelled: "ban" };

/** @param {any} message */
export function bubble(message, { turns, quoted, jump, reply, retried }) {
  const ours = message.direction === "outbound";
  const gone = message.deleted_at;
  const text = gone ? t(ours ? "deleted.ours" : "deleted.customer") : message.body;
  const status = ours && message.delivery?.state === "unknown" ? "failed" : message.status;
  return h(
    "div",
    { class: `message${ours ? " ours" : ""}${turns ? " turns" : ""}` },
    h("span.away", t(ours ? "you" : "customer")),
    h(
      "div",
      { class: `bubble${gone ? " gone" : ""}` },
      message.reply_to_id && h("button.quoted", { on: { click: () => jump(message.reply_to_id) } }, h("span.cut", { dir: "auto" }, quoted ? quoted.body || t("attachment") : t("quote"))),
      (gone ? [] : message.attachments).map((each, place) => attachment(message, each, place)),
      referral(message.referral),
      order(message.order),
      text && h("div.text", { dir: "auto" }, text),
      !gone && template(message.template),
      h(
        "div.foot",
        message.author === "automation" && icon("bot", t("by.automation")),
        message.source === "native_app" && icon("phone", t("by.app")),
        message.edited_at && !gone && h("span", t("edited")),
        h("time", { datetime: message.sent_at, title: whole(message.sent_at) }, time(message.sent_at)),
        ours && h("span", { class: status === "read" ? "read together" : "together" }, icon(STATES[status] ?? "clock", t(`state.${status}`))),
      ),
      !gone && button(t("reply"), reply, { bare: true, picture: "reply", class: "button quiet round do" }),
    ),
    message.reactions?.length > 0 && h("span.reactions", h("span.away", t("reaction")), message.reactions.map((each) => each.emoji).join(" ")),
    ours && !gone && trouble(message, retried),
  );
}

/** Why it was not sent, and the way on. */
function trouble(message, retried) {
  if (message.status === "scheduled") {
    const cancel = async () => retried((await attempt(() => call("POST", `/messages/${message.id}/cancel`))) ?? message);
    return h("div.failed.muted", t("scheduled.for", whole(message.scheduled_at)), button(t("cancel"), cancel, { kind: "quiet" }));
  }
  const error = typeof message.error === "string" ? { detail: message.error } : message.error;
  const unsure = message.delivery?.state === "unknown";
  if (message.status !== "failed" && !unsure) return null;
  const again = async () => {
    const body = error?.code === "outcome_unknown" ? { risk_duplicate: true } : {};
    try {
      retried(await call("POST", `/messages/${message.id}/retry`, body));
    } catch (problem) {
      toast(problem.message);
    }
  };
  return h(
    "div.failed",
    icon("circle-alert"),
    h("span", unsure ? t("state.unknown") : t("state.failed"), error && `: ${known(`error.${error.code}`, error.detail)}`),
    error?.remedy && known(`remedy.${error.remedy}`, "") && h("span", known(`remedy.${error.remedy}`)),
    button(t("try.again"), again, { picture: "rotate-ccw" }),
  );
}

/** A text that is on its way, or could not go. */
export function waitingBubble(each, { turns, edit }) {
  const failed = each.state === "failed";
  return h(
    "div",
    { class: `message ours${turns ? " turns" : ""}` },
    h(
      "div.bubble",
      each.template ? template(each.template) : h("div.text", { dir: "auto" }, each.body || t("attachment")),
      h("div.foot", each.state === "queued" && h("span", t("state.queued")), icon(STATES[each.state], t(`state.${each.state}`))),
    ),
    failed &&
      h(
        "div.failed",
        icon("circle-alert"),
        h("span", `${t("state.failed")}: ${each.why}`),
        button(t("try.again"), () => outbox.retry(each.key), { picture: "rotate-ccw" }),
        button(t("edit"), edit, { picture: "pencil" }),
      ),
  );
}

function attachment(message, each, place) {
  const { state, url, size: bytes, error } = each.content ?? {};
  const source = state === "stored" ? url : "";
  const name = each.file_name || each.caption || t(`file.${each.type}`);
  if (source && each.type === "image") {
    const picture = h("img.photo", { src: source, alt: each.caption || t("file.image"), loading: "lazy" });
    return h("button.plain", { "aria-haspopup": "dialog", on: { click: () => look(source, each) } }, picture);
  }
  if (source && each.type === "audio") return h("audio", { controls: true, preload: "none", src: source, "aria-label": t("file.audio") });
  if (source && each.type === "video") return h("video.photo", { controls: true, preload: "none", src: source, "aria-label": t("file.video") });
  const picture = { image: "image", audio: "mic", video: "video" }[each.type] ?? "file";
  const told = state === "pending" ? t("file.pending") : state === "failed" ? known(`error.${error?.code}`, error?.detail ?? t("file.failed")) : bytes ? size(bytes) : "";
  const inner = [icon(picture), h("span.grow", h("span.cut", { dir: "auto" }, name), told && h("span.hint", ` ${told}`))];
  if (source) return h("a.file", { href: source, download: each.file_name ?? true }, inner, icon("download", t("download")));
  const retry = state === "failed" && button(t("try.again"), () => attempt(() => call("POST", `/messages/${message.id}/attachments/${place}/retry`)), { bare: true, picture: "rotate-ccw" });
  return h("div.file", inner, retry);
}

const template = (told) => told && h("div.file", icon("text-quote"), h("span.cut", `${t("template")}: ${told.name}`));

/** A picture in full, over the conversation. */
const look = (src, each) =>
  dialog(each.caption || each.file_name || t("file.image"), () => [
    h("img.full", { src, alt: each.caption || t("file.image") }),
    h("div.ends", h("a.button", { href: src, download: each.file_name ?? true }, icon("download"), t("download"))),
  ]);

const referral = (told) => told && h("div.file", icon("external-link"), h("span.cut", { dir: "auto" }, told.headline || t("referral")));

const order = (told) =>
  told &&
  h("div.file", icon("wallet"), h("ul.grow", ...told.items.map((item) => h("li", `${item.quantity} × ${item.sku}${item.price ? ` – ${item.price} ${item.currency ?? ""}` : ""}`))));
