/** What events tell of the conversations in the list. */

import { burst } from "../topics.js";

/**
 * Puts what the stream tells into the rows, a storm's events together; what it does not tell is asked for.
 * @param {{rows: () => any[], stays: (row: any) => boolean, unsure: () => any, show: (rows: any[]) => void, ask: () => void}} about
 *   `unsure`: whether an event cannot tell where its row belongs
 */
export function listener({ rows, stays, unsure, show, ask }) {
  const heard = [];
  const settleAll = async () => {
    const next = settle(rows(), heard.splice(0), stays);
    return next ? show(next) : ask();
  };
  const soon = burst(settleAll, 50, 200, true);
  function hear(event) {
    const { type, data } = event;
    if (type === "message.deleted" || type === "contact.merged") return ask();
    if (type !== "contact.updated" && !(data.conversation && /^(message|conversation)\./.test(type))) return undefined;
    if (data.conversation && unsure()) return ask();
    heard.push(event);
    return soon();
  }
  return { hear, forget: () => (heard.length = 0) };
}

/** The rows after some events, not yet in order; null where the service has to be asked. @param {(row: any) => boolean} stays */
function settle(items, events, stays) {
  const rows = new Map(items.map((row) => [row.id, row]));
  for (const { type, data, at } of events) {
    if (type === "contact.updated") {
      for (const row of rows.values()) if (row.contact.id === data.contact?.id) rows.set(row.id, { ...row, contact: { ...row.contact, ...data.contact } });
      continue;
    }
    const { id } = data.conversation;
    const next = rowOf(rows.get(id), data, at);
    if (!next) return null;
    if (stays(next)) rows.set(id, next);
    else rows.delete(id);
  }
  return [...rows.values()];
}

/** A row after an event, out of the event's own data; null where that does not tell enough. */
function rowOf(old, { conversation, contact, channel, message }, at) {
  if (!old && !(contact && channel)) return null;
  const next = { tags: [], negotiation: false, sentiment: null, urgency: null, snoozed_until: null, created_at: at, last_message_at: null, ...old, ...conversation };
  if (contact) next.contact = contact;
  if (channel) next.channel = channel;
  if (!message || (old?.last_message_at && message.sent_at < old.last_message_at)) return next;
  if (message.status === "failed" || (!message.body && message.attachments?.length)) return null; // the service says it better
  next.snippet = message.body.replace(/\s+/g, " ").slice(0, 200);
  next.last_message_at = message.sent_at;
  next.last_message_direction = message.direction;
  next.last_message_failed = false;
  if (message.direction === "outbound") return { ...next, waiting_since: null };
  const { sentiment = null, urgency = null, negotiation = false } = message.classification ?? {};
  return { ...next, sentiment, urgency, negotiation, waiting_since: next.waiting_since ?? message.sent_at };
}
