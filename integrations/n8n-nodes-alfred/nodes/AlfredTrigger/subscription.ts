/** The subscription of a trigger: found by its URL, made, changed, forgotten. */
import type { IDataObject } from 'n8n-workflow';

import { call, list, type Context } from '../Alfred/request';

export interface Wish {
  url: string;
  events: string[];
  ordered: boolean;
  description: string;
}

/** What a trigger remembers of its subscription, for each URL: n8n has one for tests and one for production. */
export interface Kept {
  id: string;
  secret: string;
}

/** Whether there is a subscription that posts here; it is made as it is wished, and only one of a URL is left. */
export async function adopt(context: Context, wish: Wish, kept: Kept | undefined): Promise<Kept | undefined> {
  const found = await list(context, { method: 'GET', path: '/subscriptions', query: { url: wish.url } }, Infinity);
  const own = found.find((one) => one.id === kept?.id) ?? found[0];
  if (!own) return undefined;
  const id = own.id as string;
  await Promise.all(found.filter((one) => one !== own).map(async (one) => await remove(context, one.id as string)));
  const change = changeOf(own, wish);
  if (change) await call(context, { method: 'PATCH', path: `/subscriptions/${id}`, body: change });
  if (kept?.id === id) return kept;
  // Its secret was shown once, to somebody who forgot it: a new one, and the old one is good for nothing.
  const rotated = await call(context, { method: 'POST', path: `/subscriptions/${id}/rotate`, body: { grace_seconds: 0 } });
  return { id, secret: rotated.secret as string };
}

export async function create(context: Context, wish: Wish): Promise<Kept> {
  const made = await call(context, { method: 'POST', path: '/subscriptions', body: { ...wish } });
  return { id: made.id as string, secret: made.secret as string };
}

/** One that is gone already is as good as removed. */
export async function remove(context: Context, id: string): Promise<void> {
  await call(context, { method: 'DELETE', path: `/subscriptions/${id}`, accepted: 404 });
}

/** What differs from the wish; undefined where nothing does. Switched on again where it had been switched off. */
export function changeOf(own: IDataObject, wish: Wish): IDataObject | undefined {
  const change: IDataObject = {};
  const events = [...((own.events ?? []) as string[])].sort();
  if (events.join() !== [...new Set(wish.events)].sort().join()) change.events = wish.events;
  if (own.ordered !== wish.ordered) change.ordered = wish.ordered;
  if (own.enabled === false) change.enabled = true;
  return Object.keys(change).length ? change : undefined;
}
