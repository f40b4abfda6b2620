/** Calls of the API, what it complains of, and the session that they need. */

import { topic } from "./topics.js";
import { known, t } from "./words.js";

const BASE = "/api/v1";
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("alfred-session") : null;
let token = "";
let timer = 0;
let renewing = null;

/** Who is logged in; null is nobody. @type {any} */
export let me = null;

/** Told when somebody logs in, changes or leaves. */
export const session = topic();

export class Problem extends Error {
  /** @param {number} status @param {any} told problem+json */
  constructor(status, told, wait = 0) {
    super(known(`problem.${told.code}`, told.detail || told.title) ?? t("problem.unknown"));
    Object.assign(this, { status, code: told.code ?? "", errors: told.errors ?? [], requestId: told.request_id, wait, told });
  }
}

/** The access token of the moment, for the stream. */
export const bearer = () => token;

/** Runs alone among the tabs; where the browser has no locks, just runs. */
export const alone = (name, run) => (navigator.locks ? navigator.locks.request(name, run) : run());

/**
 * Asks the API.
 * @param {string} method @param {string} path below /api/v1 @param {any} [body]
 * @param {{key?: string, signal?: AbortSignal, raw?: boolean}} [options] key: Idempotency-Key; raw: the Response itself
 * @returns {Promise<any>}
 */
export async function call(method, path, body, options = {}) {
  const used = token;
  if (!used && !/^\/(session|auth)/.test(path)) throw new Problem(401, { code: "no_session" });
  let response = await ask(method, path, body, options);
  if (response.status === 401 && used && !path.startsWith("/session")) {
    if (!(await renew(used))) throw new Problem(401, { code: "no_session" });
    response = await ask(method, path, body, options);
  }
  if (options.raw && response.ok) return response;
  const text = await response.text();
  let said = null;
  try {
    said = text ? JSON.parse(text) : null;
  } catch {
    said = { code: "unreadable" };
  }
  if (response.ok) return said;
  throw new Problem(response.status, said ?? {}, Number(response.headers.get("Retry-After")) || 0);
}

async function ask(method, path, body, { key, signal }) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  try {
    return await fetch(BASE + path, { method, headers, signal, body: body === undefined || form ? body : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "offline" });
  }
}

/** A query string of what is there. @param {Record<string, any>} values */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value != null && value !== "" && value !== false);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

/** Log in, or begin with the token of a new account. */
export async function enter(body) {
  share(await call("POST", "/session", body));
}

/** Whether this browser may have a session: who was never here is not asked for a cookie. */
export const visited = () => localStorage.getItem("alfred.visited") !== null;

/** Whether the cookie of an earlier visit still holds. */
export const resume = () => renew("");

/**
 * A new access token: one tab asks, the others hear of it.
 * @param {string} stale the token that was refused @returns {Promise<boolean>} false: nobody is logged in
 */
export function renew(stale) {
  renewing ??= alone("alfred-session", async () => {
    await new Promise((go) => setTimeout(go)); // what another tab has just told comes in first
    if (token !== stale) return Boolean(token);
    try {
      share(await call("POST", "/session/refresh"));
      return true;
    } catch (error) {
      if (error.status !== 401) throw error;
      depart();
      return false;
    }
  }).finally(() => (renewing = null));
  return renewing;
}

/** Log out, here and in every tab; the others first, so that none asks for anything any more. */
export async function leave() {
  tabs?.postMessage({ left: true });
  token = "";
  await call("DELETE", "/session").catch(() => {}); // without a network the cookie is spent at the next visit
  depart(true);
}

/** Keeps what was changed of one's own profile. */
export function changed(user) {
  me = { ...me, ...user };
  tabs?.postMessage({ user: me });
  session.tell(me);
}

function share(told) {
  adopt(told);
  tabs?.postMessage({ session: told });
}

function adopt({ user, access_token, expires_in }) {
  token = access_token;
  localStorage.setItem("alfred.visited", "yes");
  clearTimeout(timer);
  const early = Math.max(expires_in - 60, expires_in / 2) - Math.random() * Math.min(10, expires_in / 10);
  timer = setTimeout(() => document.visibilityState === "visible" && renew(token).catch(() => {}), early * 1000);
  const before = JSON.stringify(me);
  me = user;
  if (before !== JSON.stringify(user)) session.tell(me);
}

function depart(forGood) {
  token = "";
  clearTimeout(timer);
  const user = me;
  me = null;
  localStorage.removeItem("alfred.visited");
  if (forGood) for (const key of Object.keys(localStorage)) if (key.startsWith("alfred.talk.")) localStorage.removeItem(key);
  if (user) session.tell(null);
}

tabs?.addEventListener("message", ({ data }) => {
  if (data.session) adopt(data.session);
  else if (data.user && me) session.tell((me = data.user));
  else if (data.left) depart(true);
});
