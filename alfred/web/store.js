/** What several screens know: who is there, the numbers on the filters, the bell, short notices. */

import { call, me } from "./api.js";
import { button, h } from "./dom.js";
import { told } from "./forms.js";
import { again, burst, frames, topic } from "./topics.js";
import { t } from "./words.js";

/** @type {Record<string, number>} */
export let counts = {};
export let unseen = 0;
export const counted = topic();
/** Every screen's title is told here, so that the number of unread conversations can stand before it. */
let heading = "";

/** A number that the service counts up to 1,000. */
export const capped = (count) => (count >= 1000 ? "999+" : count);

/** The name of the screen, in the tab too. */
export function entitle(text = heading) {
  heading = text;
  document.title = `${counts.unread ? `(${capped(counts.unread)}) ` : ""}${heading} – Alfred`;
}

/** Asks for the numbers on the filters anew; many wishes cost few requests. */
export const recount = burst(
  async () => {
    if (!me) return;
    counts = await call("GET", "/conversations/counts");
    entitle();
    counted.tell(counts);
  },
  700,
  10000,
);

/** Asks for the number on the bell. */
export const rebell = burst(async () => {
  if (!me) return;
  unseen = (await call("GET", "/notifications?seen=false&limit=1")).unseen_count;
  counted.tell(counts);
}, 1000);

let saidAt = -5000;
frames.on(({ type, data }) => {
  if (type === "message.received" && data.contact && performance.now() - saidAt > 5000) {
    saidAt = performance.now();
    announce(t("new.from", data.contact.name || data.contact.handle));
  }
  if (type === "notification.created") {
    unseen += 1;
    counted.tell(counts);
  } else if (data.conversation) {
    if (document.hidden && type === "message.received" && data.conversation.unread_count === 1) {
      counts = { ...counts, unread: (counts.unread ?? 0) + 1 };
      entitle();
    }
    recount();
  }
});
again.on(() => Promise.all([recount(), rebell()]));

/** What the user likes, kept with the account where it can be, else in this browser. */
export const preference = (name, usual) => me?.preferences?.[name] ?? usual;

/** A notice that goes by itself; `undo` gives it a button. */
export function toast(text, undo, label = t("undo")) {
  const place = document.querySelector(".toasts");
  const notice = h("div.toast.arriving", { role: "status" }, h("span", text), undo && button(label, () => (notice.remove(), undo()), { kind: "quiet" }));
  place?.append(notice);
  setTimeout(() => notice.remove(), 6000);
}

/** Says to those who listen rather than look. */
export function announce(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

/** What went wrong, with a way on. */
export function mishap(problem, retry) {
  return h(
    "div.note.danger",
    { role: "alert" },
    told(problem),
    retry && button(t("again"), retry, {}),
  );
}

/** Runs what a button starts; what goes wrong is told in a notice. */
export async function attempt(run) {
  try {
    return await run();
  } catch (problem) {
    if (problem.name !== "AbortError") toast(problem.message);
    return undefined;
  }
}
