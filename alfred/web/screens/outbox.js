/** What is written and not yet with the service: kept over a reload, sent in order, each text once. */

import { call, me } from "../api.js";
import { states, topic } from "../topics.js";

const place = () => `alfred.talk.${me?.id}.queue`;
const changed = topic();
let busy = false;

const read = () => JSON.parse(localStorage.getItem(place()) ?? "[]");
const write = (queue) => localStorage.setItem(place(), JSON.stringify(queue));

function edit(key, change) {
  write(read().flatMap((each) => (each.key !== key ? [each] : change ? [{ ...each, ...change }] : [])));
}

/** Sends what waits, oldest first; stops where the network does. */
async function flush() {
  if (busy || !me) return;
  busy = true;
  try {
    for (let next; (next = read().find((each) => each.state !== "failed")); ) {
      edit(next.key, { state: navigator.onLine ? "sending" : "queued" });
      changed.tell();
      try {
        const { key, conversation_id, body, reply_to_id, attachments, template } = next;
        const message = { body: body || undefined, reply_to_id, attachments, template };
        const sent = await call("POST", `/conversations/${conversation_id}/messages`, message, { key });
        edit(next.key, null);
        changed.tell(sent);
      } catch (problem) {
        const passing = problem.status === 0 || problem.status === 401 || problem.status === 409 ? problem.code !== "window_closed" && problem.code !== "channel_inactive" : problem.status === 429 || problem.status >= 500;
        edit(next.key, passing ? { state: "queued" } : { state: "failed", why: problem.message });
        changed.tell();
        if (!passing) continue;
        setTimeout(flush, (problem.wait || 5) * 1000);
        return;
      }
    }
  } finally {
    busy = false;
  }
}

addEventListener("online", flush);
states.on((state) => state === "live" && flush());

export const outbox = {
  changed,
  /** What waits for one conversation. @param {string} id */
  of: (id) => read().filter((each) => each.conversation_id === id),
  /** @param {{conversation_id: string, body: string, reply_to_id?: string, attachments?: any[], template?: any}} message */
  add(message) {
    write([...read(), { ...message, key: crypto.randomUUID?.() ?? String(Math.random()), state: navigator.onLine ? "sending" : "queued" }]);
    changed.tell();
    flush();
  },
  /** The stream has shown it before the answer of the call did. */
  meet(message) {
    const ours = read().find((each) => each.conversation_id === message.conversation_id && each.state === "sending" && each.body === message.body && !each.twin);
    if (ours) edit(ours.key, { twin: message.id });
  },
  /** A text that was refused goes out as a new one. */
  retry(key) {
    edit(key, { key: crypto.randomUUID?.() ?? String(Math.random()), state: "sending", why: undefined });
    changed.tell();
    flush();
  },
  drop(key) {
    edit(key, null);
    changed.tell();
  },
  flush,
};
