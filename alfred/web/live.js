/** The log as it happens: one tab of the browser holds the stream, and tells the others. */

import { bearer, renew } from "./api.js";
import { again, frames, states } from "./topics.js";

const TYPES =
  "message.received,message.sent,message.status_changed,message.edited,message.deleted,message.reaction,conversation.*,contact.*,task.*,notification.created";
const SILENCE = 40000; // milliseconds; the service says something every 15 s
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("alfred-live") : null;

let heard = states.now; // how the stream stands
let caughtUp = Promise.resolve(); // when what may have been missed has been read
let running = null; // the AbortController of this tab's part in it
let leading = false;
let last = ""; // the position that the stream has reached
let hurry = null;

/** Begins to listen. */
export function start() {
  if (running) return;
  running = new AbortController();
  const { signal } = running;
  tabs?.postMessage({ ask: true });
  if (navigator.locks) navigator.locks.request("alfred-live", { signal }, () => lead(signal)).catch(() => {});
  else lead(signal);
}

/** Stops; nobody is logged in any more. */
export function stop() {
  running?.abort();
  running = null;
  leading = false;
  last = "";
  become("connecting");
}

tabs?.addEventListener("message", ({ data }) => {
  if (data.ask && leading) tabs.postMessage({ state: heard });
  if (!running || leading) return;
  if (data.again) readAnew();
  if (data.state) become(data.state);
  data.pieces?.forEach(tellOf);
});
addEventListener("online", () => hurry?.());
addEventListener("offline", () => become("offline"));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && heard !== "live" && hurry?.());

/** "live" is not said before what was missed is read, which a hidden tab does not do. */
async function become(next) {
  if (leading && heard !== next) tabs?.postMessage({ state: next });
  heard = next;
  if (next === "live" && !document.hidden) await caughtUp;
  if (heard !== next || states.now === next) return;
  states.now = next;
  states.tell(next);
}

function readAnew() {
  caughtUp = Promise.all(again.tell());
}

/** Milliseconds before the next attempt: 0.5 to 30 s. */
export const pauseAfter = (failures, chance = Math.random()) => 500 + chance * Math.min(29500, 500 * 2 ** failures);

async function lead(signal) {
  await new Promise((go) => setTimeout(go, 200)); // whoever led may have logged out: that word comes first
  if (signal.aborted) return;
  leading = true;
  for (let failures = 0; !signal.aborted; failures++) {
    const wait = await listen(signal, () => (failures = 0)).catch(() => 0);
    if (signal.aborted) break;
    become(navigator.onLine ? "connecting" : "offline");
    const pause = wait || pauseAfter(failures);
    await new Promise((go) => {
      hurry = go;
      signal.addEventListener("abort", go, { once: true });
      setTimeout(go, pause);
    });
  }
}

/** Opens the stream once, and reads until it ends; milliseconds to wait before the next time. */
async function listen(signal, opened) {
  const used = bearer();
  const cut = new AbortController();
  const end = () => cut.abort();
  signal.addEventListener("abort", end, { once: true });
  let watch = setTimeout(end, SILENCE);
  try {
    const place = last ? `&last_event_id=${encodeURIComponent(last)}` : "";
    const response = await fetch(`/api/v1/events/stream?types=${TYPES}&include=message,conversation,contact,channel,task,notification${place}`, {
      headers: { Authorization: `Bearer ${used}` },
      signal: cut.signal,
    });
    if (response.status === 401) return (await renew(used)) ? 1 : 3e4;
    if (response.status === 400 || response.status === 410) last = "";
    if (!response.ok) return Number(response.headers.get("Retry-After")) * 1000;
    opened();
    if (!last) tellAgain(); // what happened before the stream was open is read from the lists
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return 1;
      clearTimeout(watch);
      watch = setTimeout(end, SILENCE);
      const pieces = (text + value.replace(/\r/g, "")).split("\n\n");
      text = pieces.pop();
      if (pieces.length) tabs?.postMessage({ pieces }); // as text: to copy what it says would take longer
      pieces.forEach(tellOf);
      if (pieces.some((piece) => piece.startsWith(":"))) become("live"); // the first comes behind all that was missed
    }
  } finally {
    clearTimeout(watch);
    signal.removeEventListener("abort", end);
  }
}

/** Tells the event that a piece of the stream carries, if it does. */
function tellOf(piece) {
  const said = { event: "", id: "", data: "" };
  for (const line of piece.split("\n")) {
    const end = line.indexOf(": ");
    if (end > 0) said[line.slice(0, end)] = line.slice(end + 2);
  }
  if (said.id) last = said.id;
  if (said.event === "reset") return leading && tellAgain();
  if (!said.data) return undefined;
  const { timestamp, data = {} } = JSON.parse(said.data);
  return frames.tell({ type: said.event, id: said.id, at: timestamp, data });
}

function tellAgain() {
  tabs?.postMessage({ again: true });
  readAnew();
}
