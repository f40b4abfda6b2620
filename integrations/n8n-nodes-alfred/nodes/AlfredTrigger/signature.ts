/** Whether a post is Alfred's: Standard Webhooks 1.0. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds that a clock may differ, and a recorded post stay good for. */
export const TOLERANCE = 300;

export type Headers = Record<string, string | string[] | undefined>;

/** `headers` in lower case, `body` as it came, `now` in seconds. */
export function isGenuine(secret: string, headers: Headers, body: Buffer, now: number): boolean {
  const [id, stamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name]);
  if (typeof id !== 'string' || typeof stamp !== 'string' || typeof signatures !== 'string') return false;
  if (!/^\d{1,15}$/.test(stamp) || Math.abs(now - Number(stamp)) > TOLERANCE) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) return false;
  const mac = createHmac('sha256', key).update(`${id}.${stamp}.`).update(body).digest('base64');
  const wanted = Buffer.from(`v1,${mac}`);
  return signatures
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => one.length === wanted.length && timingSafeEqual(one, wanted));
}
