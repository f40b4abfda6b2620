/** One conversation: its messages as a log, what can be done with it, the box to write in. */

import { call, query } from "../api.js";
import { button, fill, h, keyed } from "../dom.js";
import { day, dayOf } from "../formats.js";
import { attempt, entitle, mishap, recount } from "../store.js";
import { again, burst, frames, topic } from "../topics.js";
import { t } from "../words.js";
import { composer } from "./composer.js";
import { showContact } from "./contact.js";
import { head } from "./head.js";
import { bubble, waitingBubble } from "./messages.js";
import { outbox } from "./outbox.js";
import { nameOf } from "./row.js";

const PAGE = 50;

/**
 * Shows a conversation between the list and its contact.
 * @param {HTMLElement} place @param {HTMLElement} side @param {HTMLElement} frame
 * @param {{id: string, message?: string, row?: any, replace: (row: any) => void}} about
 */
export function openTalk(place, side, frame, { id, message, row, replace }) {
  const url = `/conversations/${id}`;
  let talk = row;
  /** @type {any[]} oldest first */
  let messages = [];
  let came = []; // while a page was on its way
  let older = null;
  let parted = false; // an older stretch is shown, and what follows it is not loaded
  let unreadFrom = "";
  let gone = false;
  let panel = null;
  let person = ""; // whom the panel shows: a merge may change it
  const known = new Map();
  const replied = topic();

  const log = h("div.log", { role: "log", "aria-label": t("messages"), "aria-live": "polite", tabindex: "0" });
  let stuck = true; // at the end, where what comes is seen
  log.addEventListener("scroll", () => (stuck = atEnd()));
  const sizes = new ResizeObserver(() => stuck && !parted && (log.scrollTop = log.scrollHeight));
  sizes.observe(log);
  const top = head(frame, { change, act, back: () => (location.hash = "#/inbox") });
  const box = composer({ id, replied, sent: () => toEnd() });
  fill(place, top.element, log, box.element);
  if (talk) showTalk(talk);
  load();

  function showTalk(next) {
    talk = next;
    top.show(talk);
    box.show(talk);
    entitle(nameOf(talk.contact));
    if (panel && person === talk.contact.id) return panel.show(talk);
    panel?.leave();
    person = talk.contact.id;
    panel = showContact(side, frame, { talk, act });
    return undefined;
  }

  async function load(around = message) {
    came = [];
    try {
      const asked = around ? query({ around, limit: PAGE }) : query({ limit: PAGE });
      const [fresh, page] = await Promise.all([call("GET", url), call("GET", `${url}/messages${asked}`)]);
      if (gone) return;
      parted = Boolean(around) && page.items[0]?.id !== (await newest());
      messages = page.items.toReversed();
      if (!parted) came.forEach(add);
      older = page.next_cursor;
      unreadFrom = messages.filter((each) => each.direction === "inbound").at(-fresh.unread_count || Infinity)?.id ?? "";
      if (!fresh.unread_count) unreadFrom = "";
      showTalk(fresh);
      paint(true);
      const target = known.get(around)?.element ?? known.get("unread")?.element;
      if (around) target?.classList.add("hit");
      if (target) {
        target.scrollIntoView({ block: "center" });
        stuck = atEnd();
      } else toEnd();
      seen();
    } catch (problem) {
      if (gone) return;
      if (around && (problem.status === 422 || problem.status === 404)) return load("");
      if (problem.status === 404) return (location.hash = "#/inbox"); // somebody else's, or gone
      fill(log, mishap(problem, () => (fill(log), known.clear(), load())));
    }
  }

  const newest = async () => (await call("GET", `${url}/messages?limit=1`)).items[0]?.id;
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

  function toEnd() {
    if (parted) return load("");
    log.scrollTop = log.scrollHeight;
    return undefined;
  }

  async function loadOlder() {
    const page = await attempt(() => call("GET", `${url}/messages${query({ limit: PAGE, cursor: older })}`));
    if (!page || gone) return;
    const ids = new Set(messages.map((each) => each.id));
    messages = [...page.items.toReversed().filter((each) => !ids.has(each.id)), ...messages];
    older = page.next_cursor;
    const from = log.scrollHeight - log.scrollTop;
    paint(true);
    log.scrollTop = log.scrollHeight - from;
  }

  /** Paints what changed; sticks to the end only when it is there. */
  function paint(quiet = false) {
    const sticks = !quiet && atEnd();
    const parts = [];
    if (older) parts.push(["older", "", () => button(t("older"), loadOlder, { kind: "quiet" })]);
    let before = null;
    for (const each of messages) {
      const date = dayOf(new Date(each.sent_at));
      if (!before || dayOf(new Date(before.sent_at)) !== date) parts.push([`day ${date}`, day(each.sent_at), () => h("div.daymark", day(each.sent_at))]);
      if (each.id === unreadFrom) parts.push(["unread", "", () => h("div.newmark", t("new.messages"))]);
      const turns = before?.direction !== each.direction;
      const quoted = each.reply_to_id && messages.find((other) => other.id === each.reply_to_id);
      const version = `${JSON.stringify(each)}${turns}${quoted?.body}${quoted?.deleted_at}`;
      parts.push([each.id, version, () => bubble(each, { turns, quoted, jump, reply: () => replied.tell(each), retried: upsert })]);
      before = each;
    }
    for (const each of parted ? [] : outbox.of(id)) {
      if (messages.some((other) => other.id === each.twin)) continue;
      const turns = before?.direction !== "outbound";
      parts.push([each.key, `${each.state}${each.why ?? ""}${turns}`, () => waitingBubble(each, { turns, edit: () => box.take(each) })]);
      before = { direction: "outbound" };
    }
    if (parted) parts.push(["newer", "", () => button(t("newest"), () => load(""), { kind: "soft" })]);
    keyed(log, known, parts);
    if (sticks) log.scrollTop = log.scrollHeight;
  }

  async function jump(to) {
    const there = known.get(to)?.element;
    if (!there) return load(to);
    there.scrollIntoView({ block: "center" });
    there.classList.add("arriving");
    return undefined;
  }

  function upsert(next) {
    const at = messages.findIndex((each) => each.id === next.id);
    if (at >= 0) messages[at] = next;
    else if (!parted) add(next);
    came.push(next);
    paint();
  }

  function add(next) {
    if (messages.some((each) => each.id === next.id)) return;
    messages.push(next);
    messages.sort((one, other) => (one.sent_at === other.sent_at ? (one.id < other.id ? -1 : 1) : one.sent_at < other.sent_at ? -1 : 1));
  }

  /** Reads the newest page again, and keeps what stands above it. */
  const catchUp = burst(async () => {
    if (parted || gone) return;
    came = [];
    const [fresh, page] = await Promise.all([call("GET", url), call("GET", `${url}/messages${query({ limit: PAGE })}`)]);
    if (gone) return;
    const ids = new Set(page.items.map((each) => each.id));
    const edge = page.items.at(-1)?.sent_at ?? "";
    messages = [...messages.filter((each) => !ids.has(each.id) && each.sent_at < edge), ...page.items.toReversed()];
    came.forEach(add);
    showTalk(fresh);
    paint();
    seen();
  });

  const offs = [
    frames.on(({ type, data }) => {
      if (data.conversation?.id !== id) {
        if (type === "contact.merged" || (type.startsWith("contact.") && data.contact?.id === talk?.contact.id)) catchUp();
        return;
      }
      if (type.startsWith("message.") && data.message && type !== "message.deleted" && !data.truncated) {
        if (data.message.direction === "outbound") outbox.meet(data.message);
        upsert(data.message);
        if (talk) showTalk({ ...talk, ...data.conversation, contact: { ...talk.contact, ...data.contact } });
        if (type === "message.received") seen();
      } else if (type.startsWith("conversation.") && talk) showTalk({ ...talk, ...data.conversation });
      else catchUp();
    }),
    again.on(catchUp),
    outbox.changed.on((done) => (done?.conversation_id === id ? upsert(done) : paint())),
  ];
  document.addEventListener("visibilitychange", seen);

  /** Read, where somebody can see it. */
  async function seen() {
    if (gone || document.visibilityState !== "visible" || !talk?.unread_count || talk.kept) return;
    talk = { ...talk, unread_count: 0 };
    const fresh = await attempt(() => call("POST", `${url}/read`));
    if (!fresh || gone) return;
    replace(fresh);
    recount();
  }

  /** Changes the conversation, and shows what became of it. */
  async function change(body, path = "") {
    const fresh = await attempt(() => (path ? call("POST", url + path) : call("PATCH", url, body)));
    if (!fresh) return null;
    replace(fresh);
    if (!gone) showTalk(fresh);
    recount();
    return fresh;
  }

  /** What a key or a button asks for. */
  async function act(what) {
    if (what === "write") return box.focus();
    if (what === "unread") {
      const fresh = await change(null, "/unread");
      if (fresh && !gone) talk = { ...talk, kept: true };
      return undefined;
    }
    return top.act(what);
  }

  return {
    act,
    leave() {
      gone = true;
      offs.forEach((off) => off());
      document.removeEventListener("visibilitychange", seen);
      sizes.disconnect();
      box.leave();
      panel?.leave?.();
    },
  };
}
