/** Log in, or make an account. */

import { call, enter } from "../api.js";
import { fill, h } from "../dom.js";
import { field, form } from "../forms.js";
import { fitting, LANGUAGES, language, speak, t } from "../words.js";

/** Shows the door in a place. @param {HTMLElement} place */
export function open(place, making = false) {
  const heading = h("h1", { tabindex: "-1" }, t(making ? "door.make" : "door.title"));
  document.title = `${heading.textContent} – Alfred`;
  const fields = [
    making && field({ name: "name", label: t("name"), autocomplete: "name" }),
    field({ name: "email", label: t("email"), type: "email", autocomplete: "username", inputmode: "email", autocapitalize: "off", spellcheck: "false" }),
    field({ name: "password", label: t("password"), type: "password", autocomplete: making ? "new-password" : "current-password", hint: making ? t("password.hint") : "" }),
  ].filter(Boolean);
  const other = h("button.linklike", { on: { click: () => open(place, !making) } }, t(making ? "door.back" : "door.make"));
  fill(
    place,
    h(
      "div.door",
      h(
        "main",
        h("header.stack", h("img.brand", { src: "/web/icon.svg", alt: "Alfred" }), heading, h("p.muted", t("door.hint"))),
        h("div.card", form(fields, t(making ? "door.create" : "login"), making ? make : enter, { label: heading.textContent })),
        h("div.spread", other, languages(place, making)),
      ),
    ),
  );
  place.querySelector("input").focus();
}

async function make(values) {
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const locale = language === fitting(navigator.language) && /^[a-z]{2}(-[A-Z]{2})?$/.test(navigator.language) ? navigator.language : language;
  const currency = { pt: "BRL", es: "EUR", en: "USD" }[language.slice(0, 2)];
  const made = await call("POST", "/auth/register", { ...values, locale, timezone, currency });
  await enter({ refresh_token: made.refresh_token });
}

function languages(place, making) {
  const change = async (event) => {
    await speak(event.target.value);
    open(place, making);
  };
  return h(
    "select.input.slim",
    { "aria-label": t("language"), on: { change } },
    ...Object.entries(LANGUAGES).map(([key, name]) => h("option", { value: key, selected: key === language, lang: key }, name)),
  );
}
