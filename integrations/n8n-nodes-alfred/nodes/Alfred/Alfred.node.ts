import type { IDataObject, IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { operationOf, requestOf, type Operation } from './operations';
import { OPTIONAL, properties } from './properties';
import { call, list } from './request';

export class Alfred implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Alfred',
    name: 'alfred',
    icon: 'file:alfred.svg',
    group: ['output'],
    version: 1,
    subtitle: '={{ $parameter["resource"] + ": " + $parameter["operation"] }}',
    description: 'Contacts, conversations, messages, tasks and suggestions of Alfred',
    defaults: { name: 'Alfred' },
    inputs: ['main'],
    outputs: ['main'],
    usableAsTool: true,
    credentials: [{ name: 'alfredApi', required: true }],
    properties: properties(),
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const made: INodeExecutionData[] = [];
    for (let index = 0; index < this.getInputData().length; index += 1) {
      try {
        const answers = await carryOut(this, index);
        made.push(...answers.map((json) => ({ json, pairedItem: { item: index } })));
      } catch (error) {
        if (!this.continueOnFail()) throw shown(this, error, index);
        made.push({ json: { error: (error as Error).message }, pairedItem: { item: index } });
      }
    }
    return [made];
  }
}

async function carryOut(context: IExecuteFunctions, index: number): Promise<IDataObject[]> {
  const text = (name: string) => context.getNodeParameter(name, index, '') as string;
  const operation = operationOf(text('resource'), text('operation'));
  const request = requestOf(operation, valuesOf(context, operation, index), text('idempotencyKey'));
  if (operation.answer === 'list') {
    const all = context.getNodeParameter('returnAll', index, false);
    return await list(context, request, all ? Infinity : (context.getNodeParameter('limit', index, 50)), index);
  }
  const answer = await call(context, request, index);
  if (operation.answer === 'items') return (answer.items ?? answer.messages ?? []) as IDataObject[];
  return [operation.method === 'DELETE' ? { deleted: true } : answer];
}

function valuesOf(context: IExecuteFunctions, operation: Operation, index: number): IDataObject {
  const values = { ...(context.getNodeParameter(OPTIONAL, index, {})) };
  for (const field of operation.fields.filter((one) => one.required)) {
    values[field.name] = context.getNodeParameter(field.name, index, '') as string;
  }
  return values;
}

function shown(context: IExecuteFunctions, error: unknown, itemIndex: number): Error {
  if (error instanceof NodeApiError) return error;
  return new NodeOperationError(context.getNode(), error as Error, { itemIndex });
}
