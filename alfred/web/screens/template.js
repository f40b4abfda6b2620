/** A template that the messenger has approved: what may be sent when free text may not. */

import { me } from "../api.js";
import { h } from "../dom.js";
import { field } from "../forms.js";
import { language, t } from "../words.js";
import { askFor } from "./page.js";

const place = () => `alfred.talk.${me.id}.templates`;
const used = () => JSON.parse(localStorage.getItem(place()) ?? "[]");

/** Asks which one, in which language, with which texts; those of before are proposed. @returns {Promise<any>} undefined: none */
export function askTemplate() {
  const [last] = used();
  const fields = [
    h("p.small.muted", t("template.hint")),
    field({ name: "name", label: t("template.name"), value: last?.name, maxlength: 512, list: "templates", autocapitalize: "off", spellcheck: "false" }),
    h("datalist", { id: "templates" }, ...used().map((each) => h("option", { value: each.name }))),
    field({ name: "language", label: t("template.language"), value: last?.language ?? language.replace("-", "_"), maxlength: 20 }),
    field({ name: "variables", label: t("template.variables"), hint: t("template.variables.hint"), rows: 3 }),
  ];
  return askFor(t("template.send"), fields, t("send"), async (values) => {
    const [name, code] = [values.name.trim(), values.language.trim()];
    if (!name) throw Object.assign(new Error(t("template.unnamed")), { errors: [{ pointer: "/name", message: t("template.unnamed") }] });
    const variables = values.variables.split("\n").map((line) => line.trim()).filter(Boolean);
    const others = used().filter((each) => each.name !== name);
    localStorage.setItem(place(), JSON.stringify([{ name, language: code }, ...others].slice(0, 10)));
    return { name, language: code || undefined, variables: variables.length ? variables : undefined };
  });
}
