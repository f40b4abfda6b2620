/** Keys that work wherever nobody is typing. */

import { me } from "./api.js";
import { preference } from "./store.js";

const PLACES = { i: "inbox", t: "tasks", c: "contacts", r: "rules" };
let gone = 0; // when `g` was pressed
let current = null;

/** Begins to listen. @param {() => {keys?: Record<string, () => void>} | null} screen what is shown at the moment */
export function start(screen) {
  if (!current) addEventListener("keydown", press);
  current = screen;
}

async function press(event) {
  if (!me || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const { keys } = current() ?? {};
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    if (typing) typing.blur();
    else keys?.Escape?.();
    return;
  }
  if (typing || preference("shortcuts", true) === false) return;
  const place = Date.now() - gone < 1500 && PLACES[event.key];
  gone = event.key === "g" ? Date.now() : 0;
  let act = keys?.[event.key];
  if (event.key === "Enter" && event.target.closest?.("a, button, summary, [role=button]")) act = null;
  if (place) act = () => (location.hash = `#/${place}`);
  if (event.key === "?") act = async () => (await import("./screens/keys.js")).show();
  if (!act) return;
  event.preventDefault();
  act();
}
