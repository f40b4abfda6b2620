/** What an event tells of a conversation. */

/** A row after an event, out of the event's own data; null where that does not tell enough. */
export function rowOf(old, { conversation, contact, channel, message }, at) {
  if (!old && !(contact && channel)) return null;
  const next = { tags: [], negotiation: false, sentiment: null, urgency: null, snoozed_until: null, created_at: at, last_message_at: null, ...old, ...conversation };
  if (contact) next.contact = contact;
  if (channel) next.channel = channel;
  if (!message || (old?.last_message_at && message.sent_at < old.last_message_at)) return next;
  if (!message.body && message.attachments?.length) return null; // the service says it better
  next.snippet = message.body.replace(/\s+/g, " ").slice(0, 200);
  next.last_message_at = message.sent_at;
  next.last_message_direction = message.direction;
  if (message.direction === "outbound") return { ...next, waiting_since: null };
  const { sentiment = null, urgency = null, negotiation = false } = message.classification ?? {};
  return { ...next, sentiment, urgency, negotiation, waiting_since: next.waiting_since ?? message.sent_at };
}
