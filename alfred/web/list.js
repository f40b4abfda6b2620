/** A list of any length, of which only what is seen is in the document. */

import { h, keyed } from "./dom.js";

const SPARE = 4; // rows above and below what is seen

/**
 * @param {{label: string, height: number, key: (item: any) => string, version: (item: any) => string,
 *   build: (item: any, old?: HTMLElement) => HTMLElement, more: () => void, fresh: (count: number) => void}} about
 *   `build` gives an element with one link; `more` is called near the end; `fresh` tells how many came above the view
 */
export function virtualList({ label, height, key, version, build, more, fresh }) {
  const rows = h("div", { role: "list", "aria-label": label });
  const element = h("div.list", { on: { scroll: render, keydown: move, focusin: noteFocus } }, rows);
  const known = new Map();
  let items = [];
  let ended = true;
  let active = ""; // the one row that Tab reaches
  let above = new Set(); // what stood above the view when it was left
  new ResizeObserver(render).observe(element);

  const at = (id) => items.findIndex((item) => key(item) === id);

  /** Shows these; what is being looked at stays where it is. */
  function show(next, complete) {
    const top = Math.floor(element.scrollTop / height);
    const anchor = element.scrollTop > 4 && items[top] ? key(items[top]) : null;
    const offset = element.scrollTop - top * height;
    const before = new Set(items.slice(0, top).map(key));
    items = next;
    ended = complete;
    if (at(active) < 0) active = items.length ? key(items[0]) : "";
    rows.style.height = `${items.length * height}px`;
    const place = anchor === null ? -1 : at(anchor);
    if (place >= 0 && place !== top) element.scrollTop = place * height + offset;
    if (place > 0) for (const item of items.slice(0, place)) if (!before.has(key(item))) above.add(key(item));
    render();
  }

  function render() {
    const first = Math.max(0, Math.floor(element.scrollTop / height) - SPARE);
    const last = Math.min(items.length, Math.ceil((element.scrollTop + element.clientHeight) / height) + SPARE);
    const places = [];
    for (let place = first; place < last; place++) places.push(place);
    const kept = at(active);
    if (kept >= 0 && kept < first) places.unshift(kept);
    if (kept >= last) places.push(kept);
    keyed(rows, known, places.map((place) => [key(items[place]), version(items[place]), (old) => build(items[place], old)]));
    for (const place of places) put(known.get(key(items[place])).element, place);
    if (!ended && last >= items.length - 10) more();
    if (above.size) {
      if (element.scrollTop < height) above = new Set();
      fresh(above.size);
    }
  }

  function put(row, place) {
    if (row.dataset.place !== String(place)) {
      row.dataset.place = String(place);
      row.style.transform = `translateY(${place * height}px)`;
      row.setAttribute("aria-posinset", String(place + 1));
    }
    const size = ended ? String(items.length) : "-1";
    if (row.getAttribute("aria-setsize") !== size) row.setAttribute("aria-setsize", size);
    const link = row.querySelector("a");
    const stop = row.dataset.id === active ? 0 : -1;
    if (link.tabIndex !== stop) link.tabIndex = stop;
  }

  function noteFocus(event) {
    const row = event.target.closest("[data-id]");
    if (!row || row.dataset.id === active) return;
    active = row.dataset.id;
    render();
  }

  function move(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(by);
  }

  /** Moves the focus by so many rows. */
  function step(by) {
    if (!items.length) return;
    const from = element.contains(document.activeElement) || by === 0 ? at(active) : at(active) - (by > 0 && document.activeElement === document.body ? 1 : 0);
    focus(key(items[Math.min(items.length - 1, Math.max(0, from + by))]));
  }

  function focus(id) {
    const place = at(id);
    if (place < 0) return;
    active = id;
    const top = place * height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
    render();
    known.get(id)?.element.querySelector("a").focus({ preventScroll: true });
  }

  return { element, show, render, step, focus, toTop: () => (element.scrollTop = 0), active: () => active, choose: (id) => ((active = id), render()) };
}
