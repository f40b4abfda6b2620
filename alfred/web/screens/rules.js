/** Rules: a sentence, what was understood, what it would have caught; then it works. */

import { call } from "../api.js";
import { button, fill, h, icon, later } from "../dom.js";
import { brief, moment } from "../formats.js";
import { field, toggle } from "../forms.js";
import { sure } from "../dialogs.js";
import { attempt, toast } from "../store.js";
import { t } from "../words.js";
import { askFor, listing, nothing, page } from "./page.js";

/** @param {HTMLElement} place */
export function open(place) {
  const body = h("div");
  page(place, t("nav.rules"), [], h("div.stack", writer(() => load()), h("h2", t("rules.yours")), body));
  const load = () => listing(body, "/rules", {}, (items) => h("ul.cards.wide", ...items.map(card)), () => nothing("sparkles", t("rules.empty")));

  function card(rule) {
    const flip = async (enabled) => (await attempt(() => call("PATCH", `/rules/${rule.id}`, { enabled }))) ?? load();
    const name = rule.text?.startsWith(rule.name) ? rule.text : rule.name; // a name of its own, or the sentence cut short
    return h(
      "li.card.stack",
      h("div.together.unbroken", h("strong.breaks.grow", { dir: "auto" }, name), toggle(t("rule.on"), rule.enabled, flip, { "aria-label": `${t("rule.on")}: ${rule.name}` })),
      rule.text && rule.text !== name && h("p.breaks", { dir: "auto" }, `“${rule.text}”`),
      h("p.note.assist.small", icon("sparkles", t("rule.understood")), h("span.breaks", rule.explanation)),
      rule.warnings.map((warning) => h("p.note.warn", icon("circle-alert"), warning)),
      h(
        "div.spread.small.muted.below",
        h("span", t("rule.matches", rule.match_count), rule.last_matched_at && ` · ${t("rule.last", brief(rule.last_matched_at))}`),
        h("span.together", button(t("rename"), () => edit(rule), { bare: true, picture: "pencil" }), button(t("delete"), () => remove(rule), { bare: true, picture: "trash-2" })),
      ),
    );
  }

  async function edit(rule) {
    const fields = [field({ name: "name", label: t("name"), value: rule.name, maxlength: 200 }), rule.text && field({ name: "text", label: t("rule.sentence"), value: rule.text, rows: 3, maxlength: 1000 })].filter(Boolean);
    if (await askFor(t("rule.edit"), fields, t("save"), (values) => call("PATCH", `/rules/${rule.id}`, values))) load();
  }

  async function remove(rule) {
    if (!(await sure(t("delete.sure", rule.name), t("rule.delete.hint"), t("delete")))) return;
    await attempt(() => call("DELETE", `/rules/${rule.id}`));
    load();
  }

  load();
  return {};
}

/** The sentence, and what becomes of it while it is typed. */
function writer(made) {
  const told = h("div.stack", { "aria-live": "polite" });
  const box = h("textarea.input", { id: "sentence", rows: 3, maxlength: 1000, placeholder: t("rule.example"), on: { input: later(350, read) } });
  const begin = (text) => {
    box.value = text;
    box.focus();
    read();
  };
  const examples = h("div.together", { role: "group", "aria-label": t("rule.examples") }, ["rule.example", "rule.example.urgent", "rule.example.unhappy"].map((key) => button(t(key), () => begin(t(key)), { kind: "soft example" })));
  fill(told, examples);
  let asked = 0;

  async function read() {
    const text = box.value.trim();
    const turn = (asked += 1);
    if (text.length < 8) return fill(told, examples);
    try {
      const understood = await call("POST", "/rules/compile", { text });
      if (turn === asked) show(text, understood);
    } catch (problem) {
      if (turn === asked) fill(told, h("p.note.warn", icon("circle-alert"), h("span", problem.message)), h("p.hint", t("rule.example.is", t("rule.example"))));
    }
    return undefined;
  }

  function show(text, understood) {
    const caught = h("div");
    const keep = (enabled) => async () => {
      const rule = await attempt(() => call("POST", "/rules", { text, enabled }));
      if (!rule) return;
      box.value = "";
      fill(told, examples);
      toast(t(enabled ? "rule.works" : "rule.kept"));
      made();
    };
    fill(
      told,
      h("p.note.assist", icon("sparkles", t("rule.understood")), h("span.breaks", understood.explanation)),
      understood.warnings.map((warning) => h("p.note.warn", icon("circle-alert"), warning)),
      caught,
      h("div.together", button(t("rule.try"), () => tryIt(text, caught), { picture: "history" }), button(t("rule.enable"), keep(true), { kind: "primary" }), button(t("rule.keep"), keep(false), { kind: "quiet" })),
    );
  }

  async function tryIt(text, place) {
    const told_ = await attempt(() => call("POST", "/rules/backtest", { text }));
    if (!told_) return;
    const line = (each) => h("li", h("a.fill", { href: `#/inbox/${each.conversation_id}/${each.message_id}` }, h("span.cut.grow", { dir: "auto" }, each.text || t("attachment")), h("time.small.muted", moment(each.sent_at))));
    fill(place, h("p.small", t("rule.caught", told_.matched, told_.tried)), told_.examples.length > 0 && h("ul.rows", ...told_.examples.slice(0, 8).map(line)));
  }

  return h("section.card.stack", h("label", { for: "sentence", class: "label" }, t("rule.write")), box, told);
}
