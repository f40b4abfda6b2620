/** Forms whose faults stand beside their fields. */

import { fill, h, icon } from "./dom.js";
import { known, t } from "./words.js";

let numbers = 0;

/**
 * A field with its label.
 * @param {{name: string, label: string, type?: string, value?: any, options?: [string, string][], hint?: string, rows?: number}} about other traits go to the input
 */
export function field({ name, label, type = "text", value, options, hint, rows, ...traits }) {
  const id = `field${(numbers += 1)}`;
  const described = `${id}-told`;
  const common = { id, name, class: "input", "aria-describedby": described, ...traits };
  let input;
  if (options) input = h("select", common, ...options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  else if (rows) input = h("textarea", { ...common, rows, value: value ?? "" });
  else input = h("input", { ...common, type, value: value ?? "" });
  return h("div.field", { "data-pointer": `/${name}` }, h("label", { for: id }, label), input, h("p", { id: described, class: "hint" }, hint ?? ""));
}

/** A switch: on or off. */
export function toggle(label, checked, change, traits = {}) {
  const input = h("input", { type: "checkbox", role: "switch", checked, ...traits, on: { change: () => change(input.checked, input) } });
  return h("label.switch", input, h("span", label));
}

/** A text to copy, with the button that does. */
export function copyable(text, label) {
  const said = h("span", t("copy"));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = t("copied");
    } catch {
      getSelection().selectAllChildren(code); // without TLS the browser leaves it to the user
    }
  };
  const code = h("code.grow.scrolls", { tabindex: "0" }, text);
  return h("div.together.unbroken", code, h("button.button", { "aria-label": `${t("copy")}: ${label}`, on: { click: copy } }, icon("copy"), said));
}

/** What went wrong, and the number to quote. */
export const told = ({ message, requestId }) => h("div.grow.stack", h("p", message), requestId && h("div.hint", t("request.id"), copyable(requestId, t("request.id"))));

/** A choice at once: each change is told. */
export function choice(label, options, value, change, traits = {}) {
  return h(
    "select.input.slim",
    { "aria-label": label, ...traits, on: { change: (event) => change(event.target.value, event.target) } },
    ...options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );
}

/**
 * A form; `send` gets the values by name. What the service complains of is shown where it belongs.
 * @param {Element[]} fields @param {string} action the button's words @param {(values: Record<string, string>) => Promise<void>} send
 */
export function form(fields, action, send, { label, beside = [], kind = "primary" } = {}) {
  const alert = h("div", { role: "alert" });
  const go = h("button", { type: "submit", class: `button ${kind}` }, action);
  const element = h("form.stack", { novalidate: true, "aria-label": label, on: { submit } }, alert, ...fields, h("div.together", go, ...beside));
  let busy = false;

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    go.setAttribute("aria-disabled", "true");
    clear();
    try {
      await send(Object.fromEntries(new FormData(element)));
    } catch (problem) {
      show(problem);
    } finally {
      busy = false;
      go.removeAttribute("aria-disabled");
    }
  }

  function clear() {
    fill(alert);
    element.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
    element.querySelectorAll(".fault").forEach((told) => {
      told.className = "hint";
      told.textContent = told.dataset.hint ?? "";
    });
  }

  function show(problem) {
    let first = null;
    for (const { pointer, message, code } of problem.errors ?? []) {
      const place = element.querySelector(`[data-pointer="${CSS.escape(pointer ?? "")}"]`) ?? element.querySelector(`[data-pointer="${CSS.escape((pointer ?? "").replace(/(\/[^/]+).*/, "$1"))}"]`);
      const input = place?.querySelector(".input");
      if (!input) continue;
      const told = place.lastElementChild;
      told.dataset.hint ??= told.textContent;
      told.className = "fault";
      told.textContent = known(`fault.${code}`, message);
      input.setAttribute("aria-invalid", "true");
      first ??= input;
    }
    if (first) first.focus();
    if (!first || problem.errors?.length > 1) fill(alert, h("div.note.danger", problem.status < 500 ? problem.message : told(problem)));
    if (problem.status === 429 && problem.wait) countDown(problem.wait, problem.message);
  }

  function countDown(seconds, message) {
    const until = Date.now() + seconds * 1000;
    const told = h("p.note.danger", message);
    const left = h("span.figure", { "aria-live": "off" });
    fill(alert, told, h("p.hint", left));
    const timer = setInterval(() => {
      const rest = Math.ceil((until - Date.now()) / 1000);
      go.disabled = rest > 0 && left.isConnected;
      left.textContent = t("wait", rest > 90 ? `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}` : rest);
      if (rest > 0 && left.isConnected) return;
      clearInterval(timer);
      left.textContent = "";
    }, 500);
  }

  return element;
}
