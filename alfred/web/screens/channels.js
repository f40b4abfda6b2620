/** Channels: what is connected, whether it works, where it posts to, what could not be read. */

import { call } from "../api.js";
import { button, h, icon } from "../dom.js";
import { brief, moment } from "../formats.js";
import { copyable, field, toggle } from "../forms.js";
import { sure } from "../dialogs.js";
import { attempt, toast } from "../store.js";
import { known, t } from "../words.js";
import { askFor, filled, listing, nothing, page } from "./page.js";
import { channelIcon, mark } from "./row.js";

const TYPES = ["whatsapp", "instagram", "messenger", "email"];
const STATES = { connected: ["good", "circle-check"], untested: ["", "clock"], failing: ["warn", "circle-alert"], auth_failed: ["danger", "circle-alert"] };

/** @param {HTMLElement} place */
export function open(place) {
  const body = h("div");
  const rejected = h("div");
  page(
    place,
    t("nav.channels"),
    [button(t("channel.new"), add, { kind: "primary", picture: "plus" })],
    body,
    h("section.stack", h("h2", t("rejected")), h("p.small.muted", t("rejected.hint")), rejected),
  );
  const load = () => listing(body, "/channels", { limit: 100 }, (items) => h("ul.cards", ...items.map(card)), () => nothing("plug", t("channels.empty"), button(t("channel.new"), add, { picture: "plus" })));
  const loadRejected = () => listing(rejected, "/webhooks/rejected", { limit: 20 }, (items) => h("ul.rows", ...items.map(refused)), () => h("p.muted.small", t("rejected.none")));

  function card(channel) {
    const { connection, hook } = channel;
    const state = connection ? mark(...STATES[connection.state], t(`connection.${connection.state}`)) : mark("", "link", t("connection.none"));
    const address = h("div.stack", copyable(`${location.origin}/api/v1/webhooks/${channel.type}`, t("webhook")));
    const flip = async (active) => (await attempt(() => call("PATCH", `/channels/${channel.id}`, { active }))) ?? load();
    return h(
      "li.card.stack",
      h("div.together", icon(channelIcon(channel.type)), h("strong.grow.breaks", { dir: "auto" }, channel.name), state),
      h(
        "dl.facts",
        fact(t("channel"), t(`channel.${channel.type}`)),
        channel.external_account_id && fact(t("account"), channel.external_account_id),
        connection && fact(t("provider"), t(`provider.${connection.provider}`)),
        fact(t("channel.last"), channel.last_message_at ? brief(channel.last_message_at) : "–"),
        hook && fact(t("hook.received"), `${hook.received}${hook.last_received_at ? ` · ${brief(hook.last_received_at)}` : ""}`),
        hook?.rejected > 0 && fact(t("hook.rejected"), `${hook.rejected} · ${brief(hook.last_rejected_at)}`),
      ),
      connection?.error && h("p.note.danger", icon("circle-alert"), h("span", known(`error.${connection.error.code}`, connection.error.detail), " ", known(`remedy.${connection.error.remedy}`, ""))),
      connection?.paused_until && h("p.note.warn", icon("clock"), t("paused", moment(connection.paused_until))),
      hook?.last_error && h("p.note.warn", icon("circle-alert"), hook.last_error.detail),
      h("h3", t("webhook")),
      address,
      toggle(t("channel.active"), channel.active, flip, { "aria-label": `${t("channel.active")}: ${channel.name}` }),
      h(
        "div.together",
        button(t(connection ? "connection.change" : "connect"), () => connect(channel), { picture: "plug" }),
        connection && button(t("connection.test"), () => test(channel), {}),
        connection && button(t("hook.address"), (event) => showHook(channel, address, event.currentTarget), { kind: "quiet" }),
        button(t("rename"), () => rename(channel), { bare: true, picture: "pencil" }),
        button(t("delete"), () => remove(channel), { bare: true, picture: "trash-2" }),
      ),
    );
  }

  const fact = (name, value) => h("div", h("dt", name), h("dd", value));

  const connect = async (channel) => {
    const { connectionForm } = await import("./connection.js");
    if (await connectionForm(channel)) load();
  };

  async function test(channel) {
    toast(t("testing"));
    const told = await attempt(() => call("POST", `/channels/${channel.id}/connection/test`));
    if (!told) return;
    toast(told.ok ? t("connection.works", told.account?.name ?? channel.name) : known(`error.${told.error?.code}`, told.error?.detail ?? t("problem.unknown")));
    load();
  }

  async function showHook(channel, place_, trigger) {
    const told = await attempt(() => call("GET", `/channels/${channel.id}/connection`));
    if (!told?.hook?.url) return told && toast(t("hook.none"));
    trigger.hidden = true;
    place_.append(h("h3", t("hook.address")), copyable(told.hook.url, t("hook.address")));
    if (told.hook.verify_token) place_.append(h("h3", t("hook.verify")), copyable(told.hook.verify_token, t("hook.verify")));
    return undefined;
  }

  async function add() {
    const fields = [
      field({ name: "type", label: t("channel"), options: TYPES.map((type) => [type, t(`channel.${type}`)]) }),
      field({ name: "name", label: t("name"), maxlength: 200 }),
      field({ name: "external_account_id", label: t("account"), hint: t("account.hint") }),
    ];
    const made = await askFor(t("channel.new"), fields, t("channel.make"), (values) => call("POST", "/channels", filled(values)));
    if (!made) return;
    await load();
    connect(made);
  }

  async function rename(channel) {
    const fields = [field({ name: "name", label: t("name"), value: channel.name, maxlength: 200 })];
    if (await askFor(t("rename"), fields, t("save"), (values) => call("PATCH", `/channels/${channel.id}`, values))) load();
  }

  async function remove(channel) {
    if (!(await sure(t("delete.sure", channel.name), t("channel.delete.hint"), t("delete")))) return;
    await attempt(() => call("DELETE", `/channels/${channel.id}`));
    load();
  }

  function refused(each) {
    const again = async () => {
      const told = await attempt(() => call("POST", `/webhooks/rejected/${each.id}/retry`));
      if (told) toast(t("rejected.read"));
      loadRejected();
    };
    const drop = async () => {
      await attempt(() => call("DELETE", `/webhooks/rejected/${each.id}`));
      loadRejected();
    };
    return h(
      "li",
      icon(channelIcon(each.channel_type)),
      h("details.grow", h("summary", each.reason, h("span.small.muted", ` · ${brief(each.created_at)}`)), h("pre.breaks.small", each.body.slice(0, 2000))),
      button(t("try.again"), again, {}),
      button(t("delete"), drop, { bare: true, picture: "trash-2" }),
    );
  }

  load();
  loadRejected();
  return {};
}
