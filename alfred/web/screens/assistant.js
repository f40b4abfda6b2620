/** What the assistant proposes for a conversation: a reply, a price, a follow-up. */

import { call } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { money, moment } from "../formats.js";
import { attempt, toast } from "../store.js";
import { known, t } from "../words.js";

/** Why it says so, what it rests on, what is left to fill in, and whether a model should have said it. */
function reasons({ rationale, degraded, fallback_reason, used, placeholders }) {
  const facts = h("ul");
  const load = async () => {
    if (facts.firstChild) return;
    const told = await Promise.all(used.slice(0, 5).map((fact) => call("GET", `/facts/${fact}`).catch(() => null)));
    fill(facts, told.map((fact) => fact && h("li.breaks", h("strong", fact.name), fact.text && ` – ${fact.text}`)));
  };
  return [
    rationale && h("p.why", t("why", rationale)),
    placeholders?.length > 0 && h("p.why", t("gaps", placeholders.map((each) => `{{${each}}}`).join(", "))),
    degraded && h("p.why", icon("circle-alert"), " ", t("degraded"), " ", known(`fallback.${fallback_reason}`, "")),
    used?.length > 0 && h("details.why", { on: { toggle: load } }, h("summary", t("rests.on", used.length)), facts),
  ];
}

/** @param {{id: string, use: (suggestion: any, text: string) => void, tone: () => string}} about */
export function assistant({ id, use, tone }) {
  const card = h("div", { "aria-live": "polite" });
  const ask = (kind, show) => async (event) => {
    const trigger = event.currentTarget;
    trigger.disabled = true;
    try {
      const body = { conversation_id: id, ...(kind === "reply" && tone() ? { tone: tone() } : {}) };
      const told = await call("POST", `/ai/suggest-${kind}`, body);
      show(told);
    } catch (problem) {
      put(h("p", problem.message), null, []);
    } finally {
      trigger.disabled = false;
    }
  };

  function put(content, suggestion, actions) {
    const away = () => {
      fill(card);
      if (suggestion) call("POST", `/ai/suggestions/${suggestion.id}/feedback`, { outcome: "dismissed" }).catch(() => {});
    };
    fill(
      card,
      h(
        "div.note.assist.suggestion.arriving",
        icon("sparkles", t("assistant")),
        h("div.grow", content, suggestion && reasons(suggestion)),
        h("div.ends", ...actions, button(t("dismiss"), away, { bare: true, picture: "x" })),
      ),
    );
  }

  const take = (suggestion, text) =>
    button(t("use"), () => {
      fill(card);
      use(suggestion, text);
    }, {});

  const reply = (told) => put(h("p.breaks", { dir: "auto" }, told.reply), told, [take(told, told.reply)]);

  function price(told) {
    const each = (key) => h("span", h("span.hint", `${t(`price.${key}`)} `), h("strong.money", money(told[key], told.currency)));
    put(h("p.together", each("minimum"), "–", each("suggested"), "–", each("maximum")), told, [take(told, money(told.suggested, told.currency))]);
  }

  function followUp(told) {
    const make = async () => {
      const made = await attempt(() => call("POST", "/tasks", { title: told.title, description: told.message, due_date: told.due_date, conversation_id: id }));
      if (!made) return;
      fill(card);
      toast(t("task.made"));
      call("POST", `/ai/suggestions/${told.id}/feedback`, { outcome: "sent" }).catch(() => {});
    };
    put([h("p", h("strong", told.title), ` – ${moment(told.due_date)}`), h("p", { dir: "auto" }, told.message)], told, [button(t("task.make"), make, {}), take(told, told.message)]);
  }

  const buttons = [
    button(t("suggest.reply"), ask("reply", reply), { kind: "soft", picture: "wand-sparkles" }),
    button(t("suggest.price"), ask("price", price), { kind: "soft", picture: "wallet" }),
    button(t("suggest.follow"), ask("follow-up", followUp), { kind: "soft", picture: "clock" }),
  ];
  return { card, buttons };
}
