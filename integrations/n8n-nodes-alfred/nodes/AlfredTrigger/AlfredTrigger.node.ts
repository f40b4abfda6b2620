import type {
  IHookFunctions,
  ILoadOptionsFunctions,
  INodePropertyOptions,
  INodeType,
  INodeTypeDescription,
  IWebhookFunctions,
  IWebhookResponseData,
} from 'n8n-workflow';

import { call } from '../Alfred/request';
import { isGenuine } from './signature';
import { adopt, create, remove, type Kept, type Wish } from './subscription';

/** What is used of the response that n8n gives; its own type needs express. */
interface Refusable {
  status(code: number): { json(body: object): void };
}

export class AlfredTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Alfred Trigger',
    name: 'alfredTrigger',
    icon: 'file:alfred.svg',
    group: ['trigger'],
    version: 1,
    subtitle: '={{ $parameter["events"].join(", ") }}',
    description: 'Starts the workflow when something happens in Alfred',
    defaults: { name: 'Alfred Trigger' },
    inputs: [],
    outputs: ['main'],
    credentials: [{ name: 'alfredApi', required: true }],
    webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'webhook' }],
    properties: [
      {
        displayName: 'Event Names or IDs',
        name: 'events',
        type: 'multiOptions',
        typeOptions: { loadOptionsMethod: 'eventTypes' },
        default: ['message.received'],
        required: true,
        description: 'What starts the workflow. Choose from the list, or specify names with an expression, such as message.* or *.',
      },
      {
        displayName: 'In Order',
        name: 'ordered',
        type: 'boolean',
        default: false,
        description: 'Whether events come one at a time in the order in which they happened; one that fails holds the others back',
      },
    ],
  };

  methods = { loadOptions: { eventTypes } };

  webhookMethods = {
    default: {
      async checkExists(this: IHookFunctions): Promise<boolean> {
        const wish = wishOf(this);
        const kept = await adopt(this, wish, keptBy(this)[wish.url]);
        if (kept) keptBy(this)[wish.url] = kept;
        return kept !== undefined;
      },
      async create(this: IHookFunctions): Promise<boolean> {
        const wish = wishOf(this);
        keptBy(this)[wish.url] = await create(this, wish);
        return true;
      },
      async delete(this: IHookFunctions): Promise<boolean> {
        const { url } = wishOf(this);
        const kept = keptBy(this)[url];
        if (kept) await remove(this, kept.id);
        delete keptBy(this)[url];
        return true;
      },
    },
  };

  // eslint-disable-next-line @typescript-eslint/require-await -- n8n wants a promise, and an error in it
  async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
    const kept = keptBy(this)[this.getNodeWebhookUrl('default') ?? ''];
    const { rawBody } = this.getRequestObject() as unknown as { rawBody?: Buffer };
    const now = Math.floor(Date.now() / 1000);
    if (!kept || !rawBody || !isGenuine(kept.secret, this.getHeaderData(), rawBody, now)) {
      const response = this.getResponseObject() as unknown as Refusable;
      response.status(401).json({ message: 'The signature is not that of this subscription.' });
      return { noWebhookResponse: true };
    }
    const event = this.getBodyData();
    if (event.type === 'ping') return { webhookResponse: 'OK' };
    return { workflowData: [this.helpers.returnJsonArray([event])] };
  }
}

async function eventTypes(this: ILoadOptionsFunctions): Promise<INodePropertyOptions[]> {
  const { items } = await call(this, { method: 'GET', path: '/event-types' });
  return ((items ?? []) as { type: string; description: string }[])
    .filter((one) => one.type !== 'ping')
    .map((one) => ({ name: one.type, value: one.type, description: one.description }));
}

function wishOf(context: IHookFunctions): Wish {
  return {
    url: context.getNodeWebhookUrl('default') ?? '',
    events: context.getNodeParameter('events') as string[],
    ordered: context.getNodeParameter('ordered', false) as boolean,
    description: `n8n: ${context.getWorkflow().name ?? 'a workflow'}`.slice(0, 200),
  };
}

function keptBy(context: IHookFunctions | IWebhookFunctions): Record<string, Kept> {
  const data = context.getWorkflowStaticData('node');
  data.subscriptions ??= {};
  return data.subscriptions as unknown as Record<string, Kept>;
}
