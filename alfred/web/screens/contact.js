/** The panel of a contact: who it is, how to deal with them, what there is of them. */

import { call, query } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { brief, dayOf, money, moment } from "../formats.js";
import { choice, toggle } from "../forms.js";
import { attempt, mishap, toast } from "../store.js";
import { again, frames } from "../topics.js";
import { t } from "../words.js";
import { avatar, channelIcon, mark, nameOf } from "./row.js";

const MOST = 8; // of a kind at once: the document stays small

/**
 * @param {HTMLElement} side @param {HTMLElement} frame
 * @param {{talk?: any, contact?: any, act?: (what: string) => void}} about a conversation with its contact, or a contact alone
 */
export function showContact(side, frame, { talk, contact: given, act }) {
  const id = (talk?.contact ?? given).id;
  const url = `/contacts/${id}`;
  let contact = given;
  const top = h("header");
  const deal = h("section");
  const tasks = h("section");
  const handles = h("section");
  const notes = h("section");
  const others = h("section");
  const past = h("section");
  fill(side, top, deal, tasks, handles, notes, others, past);
  if (talk) fill(top, avatar(talk.contact, null, "big"), h("h2", { dir: "auto" }, nameOf(talk.contact)));
  load();
  const off = frames.on(({ type, data }) => {
    if (type.startsWith("contact.") && data.contact?.id === id) load();
    if (type.startsWith("task.") && (data.task?.contact_id === id || data.contact?.id === id)) loadTasks();
  });

  async function load() {
    try {
      contact = await call("GET", url);
    } catch (problem) {
      return fill(top, mishap(problem, load));
    }
    paint();
    loadTasks();
    loadOthers();
    return undefined;
  }

  async function keep(body, path = "") {
    const fresh = await attempt(() => call("PATCH", url + path, body));
    if (!fresh) return false;
    contact = path ? { ...contact, settings: fresh } : fresh;
    paint();
    return true;
  }

  const settle = (body) => keep(body, "/settings");

  function paint() {
    const { settings } = contact;
    if (!top.querySelector("input:focus")) paintTop(); // nobody types a name there
    const held = side.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : "";
    const price = (name) => fact(t(`price.${name}`), settings[`${name}_price`] == null ? t("price.set") : money(settings[`${name}_price`], settings.currency), () => askPrice(name));
    fill(
      deal,
      h("h3", t("deal")),
      toggle(t("vip"), settings.vip, (vip) => settle({ vip }), { "aria-label": t("vip") }),
      pair(t("negotiation"), choice(t("negotiation"), ["off", "suggest", "auto"].map((key) => [key, t(`negotiation.${key}`)]), settings.negotiation_mode, (negotiation_mode) => settle({ negotiation_mode, negotiation_enabled: negotiation_mode !== "off" }))),
      price("base"),
      price("custom"),
      pair(t("tone"), choice(t("tone"), ["formal", "neutral", "friendly", "casual"].map((key) => [key, t(`tone.${key}`)]), settings.preferred_tone, (preferred_tone) => settle({ preferred_tone }))),
    );
    fill(
      handles,
      h("h3", t("known.as")),
      h("ul.stack", ...contact.identities.map((each) => h("li.together.small", icon(channelIcon(each.channel_type), each.channel_type), h("span.grow.breaks", each.value)))),
      contact.email && !contact.identities.some((each) => each.value === contact.email) && h("p.small.breaks", contact.email),
    );
    paintNotes();
    if (held) side.querySelector(`[aria-label="${CSS.escape(held)}"]`)?.focus();
  }

  function paintTop() {
    const { settings } = contact;
    fill(
      top,
      frame && button(t("back"), () => frame.classList.remove("unfolded"), { bare: true, picture: "x", class: "button quiet round unfold narrow" }),
      avatar(contact, null, "big"),
      h("h2", h("input.input.inplace", { "aria-label": t("name"), dir: "auto", value: contact.name ?? "", placeholder: contact.handle, maxlength: 200, on: { change: (event) => keep({ name: event.target.value.trim() || null }) } })),
      h("p.small.muted.breaks", { dir: "auto" }, contact.handle),
      settings.vip && mark("vip", "star", t("vip")),
      h("div.together", button(t("edit"), rename, { kind: "quiet", picture: "pencil" }), button(t("merge"), merge, { kind: "quiet", picture: "merge" })),
      act && h("div.together.only-phone", button(t("tags"), () => act("tag"), { kind: "quiet", picture: "tag" }), button(t("mark.unread"), () => act("unread"), { kind: "quiet", picture: "mail" })),
    );
  }

  const pair = (label, control) => h("div.spread.small", h("span.muted", label), control);
  const fact = (label, value, click) => pair(label, h("button.linklike.money", { "aria-label": `${label}: ${value}`, on: { click } }, value));

  async function ask(title, fields, action, send) {
    const [{ dialog }, { form }] = await Promise.all([import("../dialogs.js"), import("../forms.js")]);
    return dialog(title, (close) => form(fields, action, async (values) => (await send(values), close(true))));
  }

  async function askPrice(name) {
    const { field } = await import("../forms.js");
    const input = field({ name: `${name}_price`, label: `${t(`price.${name}`)} (${contact.settings.currency})`, value: contact.settings[`${name}_price`] ?? "", inputmode: "decimal", hint: t("price.empty") });
    await ask(t(`price.${name}`), [input], t("save"), async (values) => {
      const amount = values[`${name}_price`].trim().replace(",", ".");
      contact = { ...contact, settings: await call("PATCH", `${url}/settings`, { [`${name}_price`]: amount || null }) };
    });
    paint();
  }

  async function rename() {
    const { field } = await import("../forms.js");
    const fields = [field({ name: "name", label: t("name"), value: contact.name ?? "" }), field({ name: "phone", label: t("phone"), value: contact.phone ?? "", type: "tel" }), field({ name: "email", label: t("email"), value: contact.email ?? "", type: "email" })];
    await ask(t("contact.edit"), fields, t("save"), async (values) => {
      contact = await call("PATCH", url, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim() || null])));
    });
    paint();
  }

  async function merge() {
    const { mergeInto } = await import("./merge.js");
    const merged = await mergeInto(contact);
    if (!merged) return;
    if (merged === id) load();
    else if (!talk) location.hash = `#/contacts/${merged}`;
    toast(t("merged"), () => unmerge(merged));
  }

  async function unmerge(from = id) {
    if (!(await attempt(() => call("POST", `/contacts/${from}/unmerge`)))) return;
    again.tell(); // conversations went back to whom they came from
    if (from === id) load();
  }

  function paintNotes() {
    const box = h("textarea.input", { rows: 3, "aria-label": t("notes"), placeholder: t("notes.none"), maxlength: 10000, value: contact.notes ?? "" });
    box.addEventListener("change", () => keep({ notes: box.value || null }));
    if (notes.contains(document.activeElement)) return;
    fill(notes, h("h3", t("notes")), box);
  }

  async function loadTasks() {
    const page = await call("GET", `/tasks${query({ contact_id: id, limit: 50 })}`).catch(() => null);
    if (!page) return;
    const waiting = page.items.filter((task) => task.status === "open" || task.status === "in_progress");
    const done = async (task) => (await attempt(() => call("POST", `/tasks/${task.id}/complete`))) && loadTasks();
    fill(
      tasks,
      h("h3", t("tasks.open")),
      waiting.length
        ? h(
            "ul.stack",
            ...waiting.slice(0, MOST).map((task) =>
              h(
                "li.together.small.unbroken",
                h("label.pick", h("input.check", { type: "checkbox", "aria-label": t("task.done.mark", task.title), on: { change: () => done(task) } })),
                h("span.grow.breaks", task.title),
                task.overdue ? mark("danger", "clock", t("overdue")) : task.due_date && h("span.muted", brief(task.due_date)),
              ),
            ),
          )
        : h("p.small.muted", t("tasks.none")),
      waiting.length > MOST && h("a.small", { href: "#/tasks" }, t("tasks.all", waiting.length)),
      button(t("task.new"), addTask, { picture: "plus", kind: "quiet" }),
    );
  }

  async function addTask() {
    const { field } = await import("../forms.js");
    const fields = [field({ name: "title", label: t("title"), maxlength: 200 }), field({ name: "due_date", label: t("due"), type: "date", value: dayOf() })];
    const conversation_id = talk?.id;
    await ask(t("task.new"), fields, t("task.make"), ({ title, due_date }) => call("POST", "/tasks", { title, due_date: due_date || undefined, contact_id: id, conversation_id }));
    loadTasks();
  }

  async function loadOthers() {
    const [page, history] = await Promise.allSettled([call("GET", `/conversations${query({ contact_id: id, limit: 20 })}`), call("GET", `${url}/timeline`)]);
    const rest = (page.value?.items ?? []).filter((each) => each.id !== talk?.id).slice(0, MOST);
    others.hidden = !rest.length;
    fill(others, h("h3", t(talk ? "others" : "conversations")), h("ul.stack", ...rest.map((each) => h("li.together.small", icon(channelIcon(each.channel.type)), h("a.grow.cut", { href: `#/inbox/${each.id}`, dir: "auto" }, each.channel.name), each.last_message_at && h("time.muted", brief(each.last_message_at))))));
    const items = (history.value?.items ?? []).slice(0, 2 * MOST);
    const add = async (event) => {
      const text = event.target.value.trim();
      if (event.key !== "Enter" || event.isComposing || !text) return;
      if (await attempt(() => call("POST", `${url}/notes`, { text }))) await loadOthers();
      past.querySelector("input")?.focus();
    };
    const merged = items.find((each) => each.kind === "merge");
    const line = (each) =>
      h(
        "li",
        h("div.spread.muted", h("span", t(`timeline.${each.kind}`)), h("time", { datetime: each.at }, moment(each.at))),
        h("div.breaks", { dir: "auto" }, each.conversation_id ? h("a", { href: `#/inbox/${each.conversation_id}${each.kind === "message" ? `/${each.id}` : ""}` }, each.title || each.text) : each.title || each.text),
        each === merged && button(t("unmerge"), () => unmerge(), { kind: "quiet", picture: "undo-2" }),
      );
    fill(past, h("h3", t("timeline")), h("input.input", { "aria-label": t("note.add"), placeholder: t("note.add"), maxlength: 10000, on: { keydown: add } }), h("ol.history", ...items.map(line)));
  }

  return {
    /** The conversation has changed. */
    show(next) {
      talk = next;
    },
    leave: off,
  };
}
