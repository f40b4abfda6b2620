/** The box to write in: draft, files, the assistant's help, and whether one may still write. */

import { call, me } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { moment, size } from "../formats.js";
import { choice } from "../forms.js";
import { attempt, toast } from "../store.js";
import { known, t } from "../words.js";
import { assistant } from "./assistant.js";
import { outbox } from "./outbox.js";

const HOLE = /\{\{[^{}]*\}\}/;

/** @param {{id: string, replied: any, sent: () => void}} about */
export function composer({ id, replied, sent }) {
  const draft = `alfred.talk.${me.id}.draft.${id}`;
  let talk = null;
  let answering = null;
  let files = [];
  let used = null; // the suggestion that the text came from

  const box = h("textarea.input", { rows: 1, "aria-label": t("message"), placeholder: t("write"), maxlength: 65536, value: localStorage.getItem(draft) ?? "", on: { input: typed, keydown: keys, paste: pasted } });
  const told = h("div", { role: "status", class: "small" });
  const quote = h("div");
  const chosen = h("div.together");
  const window_ = h("div");
  const picker = h("input", { type: "file", multiple: true, hidden: true, on: { change: () => (attach(picker.files), (picker.value = "")) } });
  const send = button(t("send"), go, { kind: "primary send", picture: "send" });
  const write = h("div.write", button(t("attach"), () => picker.click(), { bare: true, picture: "paperclip" }), box, send, picker);
  const help = assistant({ id, use, tone: () => tone.value });
  const tone = choice(t("tone"), ["", "formal", "neutral", "friendly", "casual"].map((key) => [key, t(key ? `tone.${key}` : "tone.theirs")]), "", () => {}, { class: "input slim" });
  const helps = h("div.helps", ...help.buttons, tone);
  const element = h("div.composer", { role: "group", "aria-label": t("write") }, window_, help.card, quote, chosen, helps, write, told);
  const off = replied.on((message) => {
    answering = message;
    paintQuote();
    focus();
  });
  requestAnimationFrame(() => (grow(), focus()));

  const focus = () => !write.hidden && box.focus({ preventScroll: true });

  function grow() {
    box.style.height = "auto";
    box.style.height = `${Math.min(200, box.scrollHeight + 2)}px`;
  }

  function typed() {
    grow();
    fill(told);
    box.value ? localStorage.setItem(draft, box.value) : localStorage.removeItem(draft);
  }

  function put(text) {
    box.value = text;
    typed();
    focus();
  }

  function keys(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    go();
  }

  function use(suggestion, text) {
    used = { ...suggestion, text };
    put(text);
    fillIn();
  }

  /** Shows what is still to be filled in; true while there is something. */
  function fillIn() {
    const hole = HOLE.exec(box.value);
    if (!hole) return false;
    fill(told, h("p.fault", t("fill.in", hole[0])));
    box.focus();
    box.setSelectionRange(hole.index, hole.index + hole[0].length);
    return true;
  }

  function go() {
    const body = box.value.trim();
    if ((!body && !files.length) || write.hidden || fillIn()) return;
    if (files.some((file) => !file.ready)) return void fill(told, t("file.wait"));
    const attachments = files.map((file) => file.ready);
    outbox.add({ conversation_id: id, body, reply_to_id: answering?.id, attachments: attachments.length ? attachments : undefined });
    if (used) call("POST", `/ai/suggestions/${used.id}/feedback`, { outcome: used.text === body ? "sent" : "edited" }).catch(() => {});
    used = null;
    answering = null;
    files = [];
    put("");
    paintQuote();
    paintFiles();
    sent();
  }

  function paintQuote() {
    const drop = () => {
      answering = null;
      paintQuote();
      focus();
    };
    fill(quote, answering && h("div.note", icon("reply"), h("span.cut.grow", { dir: "auto" }, answering.body || t("attachment")), button(t("reply.drop"), drop, { bare: true, picture: "x" })));
  }

  function pasted(event) {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      attach(event.clipboardData.files);
    }
  }

  async function attach(given) {
    for (const file of given) {
      const entry = { name: file.name, size: file.size, ready: null };
      files.push(entry);
      paintFiles();
      const body = new FormData();
      body.append("file", file);
      try {
        const stored = await call("POST", "/media", body);
        const type = /^(image|audio|video)\//.exec(stored.mime_type)?.[1] ?? "document";
        entry.ready = { type, url: stored.url, mime_type: stored.mime_type, file_name: file.name };
      } catch (problem) {
        files = files.filter((each) => each !== entry);
        toast(problem.status === 404 || problem.status === 405 ? t("file.never") : problem.message);
      }
      paintFiles();
    }
  }

  function paintFiles() {
    const drop = (file) => {
      files = files.filter((each) => each !== file);
      paintFiles();
    };
    fill(chosen, ...files.map((file) => h("span.file", icon("file"), h("span.cut", file.name), h("span.hint", file.ready ? size(file.size) : t("file.sending")), button(t("file.drop", file.name), () => drop(file), { bare: true, picture: "x" }))));
  }

  /** Whether one may still write, before one does. */
  function show(next) {
    talk = next;
    const policy = talk.send_policy ?? { state: "open" };
    const shut = policy.state === "closed";
    write.hidden = helps.hidden = shut && policy.enforced;
    const until = policy.expires_at ? moment(policy.expires_at) : "";
    const words = shut
      ? [t(`closed.${policy.reason ?? "window"}`), until && t("closed.since", until), known(`remedy.${policy.remedy}`, ""), !policy.enforced && t("closed.advice")]
      : policy.reason === "opted_out"
        ? [t("closed.opted_out")]
        : [];
    const version = JSON.stringify(words);
    if (window_.dataset.version === version) return;
    window_.dataset.version = version;
    fill(window_, words.length ? h("div.note.warn", icon("clock"), h("p.grow", words.filter(Boolean).join(" ")), shut && policy.kinds?.includes("template") && button(t("template.send"), template, { picture: "text-quote" }), shut && policy.enforced && button(t("task.instead"), follow, {})) : "");
  }

  async function template() {
    const { askTemplate } = await import("./template.js");
    const chosen_ = await askTemplate();
    if (!chosen_) return;
    outbox.add({ conversation_id: id, body: "", template: chosen_ });
    sent();
  }

  async function follow() {
    const made = await attempt(() => call("POST", "/tasks", { title: t("task.answer", talk.contact.name || talk.contact.handle), conversation_id: id, contact_id: talk.contact.id }));
    if (made) toast(t("task.made"));
  }

  return {
    element,
    show,
    focus,
    /** A text that could not go comes back to be changed. */
    take(waiting) {
      outbox.drop(waiting.key);
      put(waiting.body);
    },
    leave: off,
  };
}
