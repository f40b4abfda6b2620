/** Settings: profile, looks, sounds, password, tokens, sessions, leaving. */

import { call, changed, leave, me } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { moment } from "../formats.js";
import { choice, copyable, field, form, toggle } from "../forms.js";
import { dialog, sure } from "../dialogs.js";
import { attempt, preference, toast } from "../store.js";
import { fitting, LANGUAGES, t } from "../words.js";
import { list as shortcuts } from "./keys.js";
import { askFor, listing, page } from "./page.js";

/** Password managers want to know whose password it is. */
const whose = () => h("input", { type: "text", autocomplete: "username", value: me.email, hidden: true, "aria-hidden": "true", tabindex: "-1" });
const SCOPES = ["read", "write", "webhooks", "subscriptions", "admin"];

/** @param {HTMLElement} place */
export function open(place) {
  const card = (title, ...content) => h("section.card.stack", h("h2", title), ...content);
  const like = (name, value) => attempt(async () => changed(await call("PATCH", "/me", { preferences: { ...me.preferences, [name]: value } })));
  const tokens = h("div");
  const sessions = h("div");

  const profile = form(
    [
      field({ name: "name", label: t("name"), value: me.name, maxlength: 200, autocomplete: "name" }),
      field({ name: "locale", label: t("language"), options: Object.entries(LANGUAGES).map(([key, text]) => [key, text]), value: fitting(me.locale) }),
      field({ name: "timezone", label: t("zone"), options: zones(), value: me.timezone }),
      field({ name: "currency", label: t("currency"), value: me.currency, maxlength: 3, autocapitalize: "characters" }),
    ],
    t("save"),
    async (values) => {
      if (fitting(me.locale) === values.locale) delete values.locale; // es-MX stays es-MX
      changed(await call("PATCH", "/me", values));
      toast(t("saved"));
    },
    { label: t("profile") },
  );

  const password = form(
    [
      whose(),
      field({ name: "current_password", label: t("password.current"), type: "password", autocomplete: "current-password" }),
      field({ name: "new_password", label: t("password.new"), type: "password", autocomplete: "new-password", hint: t("password.hint") }),
    ],
    t("password.change"),
    async (values) => {
      await call("POST", "/me/password", values);
      password.reset();
      toast(t("password.changed"));
      loadSessions();
    },
    { label: t("password"), kind: "" },
  );

  const loadTokens = () =>
    listing(tokens, "/tokens", {}, (items) => h("ul.rows", ...items.map(token)), () => h("p.muted.small", t("tokens.none")));

  const token = (each) =>
    h(
      "li",
      icon("key"),
      h("div.grow", h("strong.breaks", each.name), h("p.small.muted.breaks", `${each.hint} · ${each.scopes.join(", ")} · ${each.last_used_at ? t("used", moment(each.last_used_at)) : t("used.never")}`)),
      button(t("revoke"), async () => {
        if (await sure(t("delete.sure", each.name), t("token.revoke.hint"), t("revoke"))) {
          await attempt(() => call("DELETE", `/tokens/${each.id}`));
          loadTokens();
        }
      }, { kind: "quiet" }),
    );

  async function addToken() {
    const boxes = SCOPES.map((scope) => h("label.together", h("input", { type: "checkbox", class: "check", name: "scopes", value: scope, checked: SCOPES.indexOf(scope) < 3 }), h("span", h("strong", scope), ` – ${t(`scope.${scope}`)}`)));
    const choices = h("fieldset.stack.small", { "data-pointer": "/scopes" }, h("legend.label", t("token.scopes")), ...boxes);
    const made = await askFor(t("token.new"), [field({ name: "name", label: t("name"), maxlength: 200, placeholder: "n8n" }), choices], t("token.make"), ({ name }) =>
      call("POST", "/tokens", { name, scopes: boxes.map((box) => box.firstChild).filter((box) => box.checked).map((box) => box.value) }),
    );
    if (!made) return;
    loadTokens();
    await dialog(t("token.once"), (close) => [h("p", t("token.once.hint")), copyable(made.token, t("token")), h("div.ends", button(t("done"), () => close(), { kind: "primary" }))]);
  }

  const loadSessions = () => listing(sessions, "/me/sessions", {}, (items) => h("ul.rows", ...items.map(visit)), () => h("p.muted.small", t("sessions.none")));

  const visit = (each) =>
    h(
      "li",
      icon("user"),
      h("div.grow", h("strong.breaks", browser(each.user_agent)), h("p.small.muted.breaks", `${each.address ?? ""} · ${t("used", moment(each.last_used_at))}`)),
      each.current
        ? h("span.mark.good", icon("check"), t("session.this"))
        : button(t("session.end"), async () => {
            await attempt(() => call("DELETE", `/me/sessions/${each.id}`));
            loadSessions();
          }, { kind: "quiet" }),
    );

  async function erase() {
    const fields = [h("p", t("erase.hint")), whose(), field({ name: "password", label: t("password"), type: "password", autocomplete: "current-password" })];
    if (await askFor(t("erase"), fields, t("erase.do"), (values) => call("DELETE", "/me", values))) leave();
  }

  const volume = h("input", { type: "range", min: 0, max: 100, step: 5, value: preference("volume", 40), "aria-label": t("volume"), on: { change: async () => (await like("volume", Number(volume.value)), (await import("../bell.js")).ring()) } });
  page(
    place,
    t("nav.settings"),
    [button(t("logout"), leave, { picture: "log-out" })],
    h(
      "div.cards.wide",
      card(t("profile"), h("p.small.muted", me.email), profile),
      card(
        t("looks"),
        h("div.spread.small", h("span", t("theme")), choice(t("theme"), ["system", "light", "dark"].map((key) => [key, t(`theme.${key}`)]), preference("theme", "system"), (value) => like("theme", value))),
        toggle(t("sound"), preference("sound", false), (value) => like("sound", value)),
        h("div.spread.small", h("span", t("volume")), volume),
        toggle(t("desktop"), preference("desktop", false), (value) => (value ? (location.hash = "#/notifications") : like("desktop", false))),
        toggle(t("shortcuts"), preference("shortcuts", true), (value) => like("shortcuts", value)),
        h("details", h("summary.small", t("shortcuts.list")), shortcuts()),
      ),
      card(t("tokens"), h("p.small.muted", t("tokens.hint")), tokens, h("div", button(t("token.new"), addToken, { picture: "plus" }))),
      card(t("sessions"), sessions),
      card(t("password"), password),
      card(t("erase"), h("p.small.muted", t("erase.hint")), h("div", button(t("erase"), erase, { kind: "danger", picture: "trash-2" }))),
    ),
  );
  loadTokens();
  loadSessions();
  return {};
}

function zones() {
  const all = Intl.supportedValuesOf?.("timeZone") ?? [];
  return [...new Set([...all, me.timezone, "UTC"])].sort().map((zone) => [zone, zone.replaceAll("_", " ")]);
}

/** The browser and the system that a user agent names. */
function browser(agent) {
  const name = /Edg|OPR|Firefox|Chrome|Safari|curl|python/i.exec(agent ?? "")?.[0];
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent ?? "")?.[0];
  return [{ Edg: "Edge", OPR: "Opera" }[name] ?? name, system].filter(Boolean).join(" · ") || agent || t("session.unknown");
}
