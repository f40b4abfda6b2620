/** What the action node can do: a table, and the request that a choice of it makes. Pure. */
import type { IDataObject, IHttpRequestMethods } from 'n8n-workflow';

import type { Call } from './request';

export type FieldType = 'string' | 'number' | 'boolean' | 'dateTime' | 'json' | string[];

export interface Field {
  name: string;
  label: string;
  /** Where it goes; in the path it stands as `{name}`. */
  place: 'path' | 'query' | 'body';
  type: FieldType;
  required?: boolean;
  default?: string | number | boolean;
  hint?: string;
}

export interface Operation {
  resource: string;
  name: string;
  label: string;
  method: IHttpRequestMethods;
  path: string;
  fields: Field[];
  /** `list`: pages are followed and each item is one; `items`: each item of the one answer is one. */
  answer?: 'list' | 'items';
  /** A key makes a repetition harmless. */
  keyed?: boolean;
  /** The whole body is this one field. */
  wholeBody?: string;
}

const CHANNELS = ['whatsapp', 'instagram', 'messenger', 'email'];
const STATUSES = ['open', 'pending', 'snoozed', 'closed'];
const TASK_STATUSES = ['open', 'in_progress', 'done', 'cancelled'];
const PRIORITIES = ['low', 'medium', 'high', 'urgent'];
const TONES = ['formal', 'neutral', 'friendly', 'casual'];

const id = (name: string, label: string): Field => ({ name, label, place: 'path', type: 'string', required: true });
const query = (name: string, label: string, type: FieldType = 'string', hint = ''): Field => ({ name, label, place: 'query', type, hint });
const body = (name: string, label: string, type: FieldType = 'string', hint = ''): Field => ({ name, label, place: 'body', type, hint });
const needed = (field: Field): Field => ({ ...field, required: true });

const contactFields = [
  body('name', 'Name'),
  body('email', 'Email'),
  body('phone', 'Phone'),
  body('notes', 'Notes'),
];
const taskFields = [
  body('description', 'Description'),
  body('priority', 'Priority', PRIORITIES),
  body('status', 'Status', TASK_STATUSES),
  body('due_date', 'Due Date', 'string', 'A timestamp, or a date, which means the end of that day'),
  body('conversation_id', 'Conversation ID'),
  body('contact_id', 'Contact ID'),
];

export const OPERATIONS: Operation[] = [
  {
    resource: 'contact', name: 'create', label: 'Create a contact', method: 'POST', path: '/contacts', keyed: true,
    fields: [needed(body('handle', 'Handle', 'string', 'Phone number, e-mail address or user name')), body('channel_type', 'Channel Type', CHANNELS), ...contactFields],
  },
  { resource: 'contact', name: 'get', label: 'Get a contact', method: 'GET', path: '/contacts/{contact_id}', fields: [id('contact_id', 'Contact ID')] },
  {
    resource: 'contact', name: 'getAll', label: 'Get many contacts', method: 'GET', path: '/contacts', answer: 'list',
    fields: [query('q', 'Search', 'string', 'Text in the name or handle'), query('channel', 'Channel', CHANNELS), query('vip', 'VIP', 'boolean')],
  },
  {
    resource: 'contact', name: 'update', label: 'Update a contact', method: 'PATCH', path: '/contacts/{contact_id}',
    fields: [id('contact_id', 'Contact ID'), ...contactFields, body('settings', 'Settings', 'json', 'For example {"vip": true, "base_price": "120.00"}')],
  },
  { resource: 'contact', name: 'delete', label: 'Delete a contact', method: 'DELETE', path: '/contacts/{contact_id}', fields: [id('contact_id', 'Contact ID')] },

  { resource: 'conversation', name: 'get', label: 'Get a conversation', method: 'GET', path: '/conversations/{conversation_id}', fields: [id('conversation_id', 'Conversation ID')] },
  {
    resource: 'conversation', name: 'getAll', label: 'Get many conversations', method: 'GET', path: '/conversations', answer: 'list',
    fields: [
      query('status', 'Status', STATUSES), query('channel', 'Channel', CHANNELS), query('q', 'Search'), query('tag', 'Tag'),
      query('urgency', 'Urgency', ['low', 'medium', 'high']), query('needs_reply', 'Needs Reply', 'boolean'), query('contact_id', 'Contact ID'),
    ],
  },
  {
    resource: 'conversation', name: 'update', label: 'Update a conversation', method: 'PATCH', path: '/conversations/{conversation_id}',
    fields: [id('conversation_id', 'Conversation ID'), body('status', 'Status', STATUSES), body('tags', 'Tags', 'json', 'A list; it replaces all tags'), body('snoozed_until', 'Snoozed Until', 'dateTime')],
  },
  { resource: 'conversation', name: 'markRead', label: 'Mark a conversation as read', method: 'POST', path: '/conversations/{conversation_id}/read', fields: [id('conversation_id', 'Conversation ID')] },

  {
    resource: 'message', name: 'send', label: 'Send a message', method: 'POST', path: '/conversations/{conversation_id}/messages', keyed: true,
    fields: [
      id('conversation_id', 'Conversation ID'), needed(body('body', 'Text')), body('external_id', 'External ID', 'string', 'Where it was sent by other means already'),
      body('subject', 'Subject'), body('reply_to_id', 'Reply to Message ID'), body('scheduled_at', 'Scheduled At', 'dateTime'), body('attachments', 'Attachments', 'json', 'A list of {"type", "url"}'),
    ],
  },
  {
    resource: 'message', name: 'takeIn', label: 'Take in what a messenger posted', method: 'POST', path: '/webhooks/{channel}', answer: 'items', wholeBody: 'payload',
    fields: [{ ...id('channel', 'Channel'), type: CHANNELS, default: 'whatsapp' }, needed({ ...body('payload', 'Payload', 'json'), default: '={{ $json }}' })],
  },
  { resource: 'message', name: 'get', label: 'Get a message', method: 'GET', path: '/messages/{message_id}', fields: [id('message_id', 'Message ID')] },
  {
    resource: 'message', name: 'getAll', label: 'Get many messages of a conversation', method: 'GET', path: '/conversations/{conversation_id}/messages', answer: 'list',
    fields: [id('conversation_id', 'Conversation ID')],
  },
  {
    resource: 'message', name: 'claim', label: 'Claim messages to send', method: 'POST', path: '/messages/claim', answer: 'items',
    fields: [body('most', 'How Many', 'number'), { ...body('lease_seconds', 'Lease (Seconds)', 'number'), default: 120 }, body('channel_id', 'Channel ID'), body('on_unknown', 'Without an Outcome', ['hold', 'retry'])],
  },
  {
    resource: 'message', name: 'reportOutcome', label: 'Report the outcome of a message', method: 'POST', path: '/messages/{message_id}/outcome',
    fields: [
      id('message_id', 'Message ID'), { ...needed(body('status', 'Status', ['sent', 'failed'])), default: 'sent' }, body('external_id', 'External ID', 'string', 'The messenger\'s ID of it'),
      body('error', 'Error', 'json', 'For example {"detail": "The number is not on WhatsApp."}'),
    ],
  },

  { resource: 'task', name: 'create', label: 'Create a task', method: 'POST', path: '/tasks', keyed: true, fields: [needed(body('title', 'Title')), ...taskFields] },
  { resource: 'task', name: 'get', label: 'Get a task', method: 'GET', path: '/tasks/{task_id}', fields: [id('task_id', 'Task ID')] },
  {
    resource: 'task', name: 'getAll', label: 'Get many tasks', method: 'GET', path: '/tasks', answer: 'list',
    fields: [query('status', 'Status', TASK_STATUSES), query('priority', 'Priority', PRIORITIES), query('overdue', 'Overdue', 'boolean'), query('contact_id', 'Contact ID'), query('conversation_id', 'Conversation ID')],
  },
  { resource: 'task', name: 'update', label: 'Update a task', method: 'PATCH', path: '/tasks/{task_id}', fields: [id('task_id', 'Task ID'), body('title', 'Title'), ...taskFields] },
  { resource: 'task', name: 'complete', label: 'Complete a task', method: 'POST', path: '/tasks/{task_id}/complete', fields: [id('task_id', 'Task ID')] },
  { resource: 'task', name: 'delete', label: 'Delete a task', method: 'DELETE', path: '/tasks/{task_id}', fields: [id('task_id', 'Task ID')] },

  { resource: 'ai', name: 'classify', label: 'Classify a message', method: 'POST', path: '/ai/classify-message', fields: [needed(body('text', 'Text')), body('language', 'Language')] },
  {
    resource: 'ai', name: 'suggestReply', label: 'Suggest a reply', method: 'POST', path: '/ai/suggest-reply',
    fields: [body('conversation_id', 'Conversation ID'), body('text', 'Text'), body('tone', 'Tone', TONES), body('language', 'Language')],
  },
  {
    resource: 'ai', name: 'suggestPrice', label: 'Suggest a price', method: 'POST', path: '/ai/suggest-price',
    fields: [body('conversation_id', 'Conversation ID'), body('contact_id', 'Contact ID'), body('text', 'Text')],
  },
  { resource: 'ai', name: 'suggestFollowUp', label: 'Suggest a follow-up', method: 'POST', path: '/ai/suggest-follow-up', fields: [needed(body('conversation_id', 'Conversation ID'))] },

  {
    resource: 'event', name: 'getAll', label: 'Get many events', method: 'GET', path: '/events', answer: 'list',
    fields: [query('type', 'Type', 'string', 'For example message.received'), query('conversation_id', 'Conversation ID')],
  },
  {
    resource: 'event', name: 'poll', label: 'Poll events after a position', method: 'GET', path: '/events',
    fields: [{ ...query('after', 'After', 'string', 'The position that the call before answered; "now" begins now, "beginning" with the oldest'), required: true, default: 'now' }, query('type', 'Type'), query('limit', 'Limit', 'number')],
  },
];

export function operationOf(resource: string, name: string): Operation {
  const found = OPERATIONS.find((one) => one.resource === resource && one.name === name);
  if (!found) throw new Error(`The resource ${resource} has no operation ${name}.`);
  return found;
}

/** The request of an operation; what is left empty is left out. */
export function requestOf(operation: Operation, values: IDataObject, idempotencyKey = ''): Call {
  const given = { path: {} as IDataObject, query: {} as IDataObject, body: {} as IDataObject };
  for (const field of operation.fields) {
    const value = valueOf(field, values[field.name]);
    if (value !== undefined) given[field.place][field.name] = value;
    else if (field.required) throw new Error(`${field.label} is empty: give it a value.`);
  }
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given.path[name] as string));
  const request: Call = { method: operation.method, path, query: given.query };
  if (operation.wholeBody) request.body = given.body[operation.wholeBody] as IDataObject;
  else if (operation.method !== 'GET' && operation.method !== 'DELETE') request.body = given.body;
  if (operation.keyed && idempotencyKey) request.idempotencyKey = idempotencyKey;
  return request;
}

function valueOf(field: Field, value: unknown): IDataObject[string] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (field.type !== 'json' || typeof value !== 'string') return value as IDataObject[string];
  try {
    return JSON.parse(value) as IDataObject[string];
  } catch {
    throw new Error(`${field.label} is not valid JSON.`);
  }
}
