/** Who wants to hear of something is told of it. */

/** @template T @returns {{on: (listen: (value: T) => void) => () => void, tell: (value: T) => void}} */
export function topic() {
  const listeners = new Set();
  return {
    on(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    tell(value) {
      return [...listeners].map((listen) => listen(value));
    },
  };
}

/** One event of the log: {type, id, at, data}. */
export const frames = topic();
/** Read everything anew: something may have been missed. Who listens may answer a promise of when it is read. */
export const again = topic();
/** How the stream stands: "live", "connecting" or "offline"; `now` is the last word. */
export const states = Object.assign(topic(), { now: "connecting" });

/**
 * However often it is wished for, runs soon, never twice at once, and the longer the storm the rarer. A wish is a promise of a
 * run that began after it.
 * @param {() => Promise<void>} run @param {number} [first] milliseconds between the first runs @param {number} [most] between later ones
 * @param {boolean} [hidden] also while nobody sees the page; else it waits until somebody does
 */
export function burst(run, first = 250, most = 2500, hidden = false) {
  let wished = null;
  let busy = false;
  let gap = first;
  let ended = 0;
  async function go() {
    if (document.hidden && !hidden) return document.addEventListener("visibilitychange", go, { once: true });
    const { done } = wished;
    wished = null;
    await run().catch(() => {});
    done();
    ended = performance.now();
    if (wished) {
      setTimeout(go, gap);
      gap = Math.min(gap * 2, most);
    } else busy = false;
    return undefined;
  }
  return () => {
    wished ??= promised();
    const { kept } = wished;
    if (busy) return kept;
    busy = true;
    const since = performance.now() - ended;
    if (since > 2 * most || !ended) gap = first;
    if (!ended || since > gap) go();
    else setTimeout(go, gap - since);
    return kept;
  };
}

function promised() {
  let done;
  const kept = new Promise((keep) => (done = keep));
  return { kept, done };
}
