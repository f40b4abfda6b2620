/** Calls of Alfred's API, and its refusals as n8n shows them. */
import type {
  IDataObject,
  IExecuteFunctions,
  IHookFunctions,
  IHttpRequestMethods,
  IHttpRequestOptions,
  ILoadOptionsFunctions,
  JsonObject,
} from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

export type Context = IExecuteFunctions | IHookFunctions | ILoadOptionsFunctions;

export interface Call {
  method: IHttpRequestMethods;
  path: string;
  body?: IDataObject;
  query?: IDataObject;
  idempotencyKey?: string;
  /** A refusal that is as good as success. */
  accepted?: number;
}

export interface Answer {
  statusCode: number;
  body: IDataObject;
}

/** The answer, whatever its status; a line that breaks is an error. */
export async function ask(context: Context, call: Call): Promise<Answer> {
  const { baseUrl } = await context.getCredentials<{ baseUrl: string }>('alfredApi');
  const options: IHttpRequestOptions = {
    method: call.method,
    url: baseUrl.replace(/\/+$/, '') + call.path,
    json: true,
    headers: call.idempotencyKey ? { 'Idempotency-Key': call.idempotencyKey } : {},
    ignoreHttpStatusErrors: true,
    returnFullResponse: true,
  };
  if (call.query) options.qs = call.query;
  if (call.body) options.body = call.body;
  const answer = (await context.helpers.httpRequestWithAuthentication.call(context, 'alfredApi', options)) as {
    statusCode: number;
    body: IDataObject | string | undefined;
  };
  return { statusCode: answer.statusCode, body: parsed(answer.body) };
}

/** An error's `application/problem+json` may come as text; what is no JSON is no body of Alfred's. */
function parsed(body: IDataObject | string | undefined): IDataObject {
  if (typeof body !== 'string') return body ?? {};
  try {
    return (JSON.parse(body) ?? {}) as IDataObject;
  } catch {
    return {};
  }
}

/** The body of the answer; a refusal is an error with Alfred's own sentence. */
export async function call(context: Context, wanted: Call, itemIndex?: number): Promise<IDataObject> {
  const { statusCode, body } = await ask(context, wanted);
  if (statusCode < 300 || statusCode === wanted.accepted) return body;
  const { message, description } = refusalOf(statusCode, body);
  const index = itemIndex === undefined ? {} : { itemIndex };
  throw new NodeApiError(context.getNode(), body as JsonObject, {
    message,
    description,
    httpCode: String(statusCode),
    ...index,
  });
}

/** `detail` as the message, and each fault with the field that it is about. */
export function refusalOf(statusCode: number, problem: IDataObject): { message: string; description: string } {
  const faults = (Array.isArray(problem.errors) ? problem.errors : []) as { pointer?: string; message?: string }[];
  const lines = faults.map((fault) => [fault.pointer, fault.message].filter(Boolean).join(': '));
  return {
    message: typeof problem.detail === 'string' ? problem.detail : `Alfred answered with status ${statusCode}.`,
    description: lines.join('\n'),
  };
}

/** All items of a list, or as many as are wanted. */
export async function list(context: Context, wanted: Call, most: number, itemIndex?: number): Promise<IDataObject[]> {
  const found: IDataObject[] = [];
  let cursor = '';
  do {
    const limit = Math.min(100, most - found.length);
    const query = { ...wanted.query, limit, ...(cursor ? { cursor } : {}) };
    const page = await call(context, { ...wanted, query }, itemIndex);
    found.push(...((page.items ?? []) as IDataObject[]));
    cursor = page.has_more ? (page.next_cursor as string) : '';
  } while (cursor && found.length < most);
  return found;
}
