/** What an event tells of a conversation. */

/** The rows after an event, not yet in order; null where the service has to be asked. @param {(row: any) => boolean} stays */
export function settle(items, { type, data, at }, stays) {
  if (type === "contact.updated") return items.map((row) => (row.contact.id === data.contact?.id ? { ...row, contact: { ...row.contact, ...data.contact } } : row));
  const place = items.findIndex((row) => row.id === data.conversation.id);
  const next = rowOf(items[place], data, at);
  if (!next) return null;
  return items.toSpliced(place < 0 ? items.length : place, place < 0 ? 0 : 1, ...(stays(next) ? [next] : []));
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
