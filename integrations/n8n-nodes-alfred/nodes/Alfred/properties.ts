/** The form of the action node, made from the table of operations. Pure. */
import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { OPERATIONS, type Field, type Operation } from './operations';

const RESOURCES: INodePropertyOptions[] = [
  { name: 'AI', value: 'ai' },
  { name: 'Contact', value: 'contact' },
  { name: 'Conversation', value: 'conversation' },
  { name: 'Event', value: 'event' },
  { name: 'Message', value: 'message' },
  { name: 'Task', value: 'task' },
];

/** Whatever is not needed lies in one collection of this name. */
export const OPTIONAL = 'additionalFields';

export function properties(): INodeProperties[] {
  const resource: INodeProperties = {
    displayName: 'Resource', name: 'resource', type: 'options', noDataExpression: true, options: RESOURCES, default: 'contact',
  };
  return [resource, ...RESOURCES.map((one) => choiceOf(String(one.value))), ...OPERATIONS.flatMap(fieldsOf)];
}

function choiceOf(resource: string): INodeProperties {
  const own = OPERATIONS.filter((one) => one.resource === resource);
  return {
    displayName: 'Operation', name: 'operation', type: 'options', noDataExpression: true,
    displayOptions: { show: { resource: [resource] } },
    options: own.map((one) => ({ name: one.label, value: one.name, action: one.label })),
    default: own[0]!.name,
  };
}

function fieldsOf(operation: Operation): INodeProperties[] {
  const displayOptions = { show: { resource: [operation.resource], operation: [operation.name] } };
  const required = operation.fields.filter((field) => field.required);
  const optional = operation.fields.filter((field) => !field.required).map(propertyOf);
  const found: INodeProperties[] = required.map((field) => ({ ...propertyOf(field), required: true, displayOptions }));
  if (operation.answer === 'list') {
    found.push({ displayName: 'Return All', name: 'returnAll', type: 'boolean', default: false, description: 'Whether to follow all pages', displayOptions });
    found.push({
      displayName: 'Limit', name: 'limit', type: 'number', default: 50, typeOptions: { minValue: 1 }, description: 'Max number of results to return',
      displayOptions: { show: { ...displayOptions.show, returnAll: [false] } },
    });
  }
  if (operation.keyed) {
    found.push({
      displayName: 'Idempotency Key', name: 'idempotencyKey', type: 'string', default: '', placeholder: 'task-{{ $json.id }}', displayOptions,
      description: 'A value of the item: the same key and content again change nothing for 24 hours, so that retries are safe',
    });
  }
  if (optional.length) {
    found.push({ displayName: 'Additional Fields', name: OPTIONAL, type: 'collection', placeholder: 'Add Field', default: {}, options: optional, displayOptions });
  }
  return found;
}

function propertyOf(field: Field): INodeProperties {
  const common = { displayName: field.label, name: field.name, description: field.hint ?? '' };
  if (Array.isArray(field.type)) {
    const options = field.type.map((value) => ({ name: value, value }));
    return { ...common, type: 'options', options, default: field.default ?? field.type[0]! };
  }
  const empty = { string: '', number: 20, boolean: false, dateTime: '', json: '' }[field.type];
  return { ...common, type: field.type, default: field.default ?? empty };
}
