/** Dialogs: what asks for an answer before it goes on. */

import { button, h } from "./dom.js";
import { t } from "./words.js";

let numbers = 0;

/** A dialog of its own; resolves with what `close` was given. @returns {Promise<any>} */
export function dialog(title, content) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const heading = h("h2", { id: `dialog${(numbers += 1)}`, tabindex: "-1" }, title);
    const box = h("dialog", { "aria-labelledby": heading.id }, h("div.sheet", h("div.spread", heading, button(t("cancel"), () => close(undefined), { bare: true, picture: "x" }))));
    const close = (value) => {
      box.dataset.answer = "given";
      resolve(value);
      box.close();
    };
    box.firstChild.append(...[content(close)].flat());
    box.addEventListener("close", () => {
      box.remove();
      resolve(undefined);
      before?.focus?.();
    });
    document.body.append(box);
    box.showModal();
    box.querySelector("input:not([hidden]), select, textarea, .ends button")?.focus();
  });
}

/** Asks before what cannot be undone. @returns {Promise<boolean>} */
export async function sure(title, text, action) {
  return Boolean(
    await dialog(title, (close) => [
      h("p", text),
      h(
        "div.ends",
        h("button.button", { on: { click: () => close(false) } }, t("cancel")),
        h("button.button.danger", { on: { click: () => close(true) } }, action),
      ),
    ]),
  );
}
