/** Connecting a channel: the fields that each provider needs. */

import { call } from "../api.js";
import { fill, h } from "../dom.js";
import { dialog } from "../dialogs.js";
import { field, form } from "../forms.js";
import { toast } from "../store.js";
import { t } from "../words.js";

/** By provider: plain fields, then secrets; `?` may be left out, `[]` is a list of one. */
const PROVIDERS = {
  whatsapp_cloud: ["phone_number_id", "waba_id?", "access_token!", "app_secrets![]?"],
  twilio: ["account_sid", "from?", "messaging_service_sid?", "auth_tokens![]"],
  evolution: ["base_url", "instance", "api_key!"],
  waha: ["base_url", "session?", "api_key!", "hmac_keys![]?"],
  zapi: ["instance_id", "instance_token!", "client_token!"],
  messenger: ["page_id", "access_token!", "app_secrets![]?"],
  instagram: ["account_id", "page_id?", "access_token!", "app_secrets![]?"],
  email: ["smtp.host", "smtp.port?", "smtp.security?", "smtp.username?", "smtp.password!?", "smtp.from_address", "smtp.from_name?", "inbound.provider?"],
};
const OF = { whatsapp: ["whatsapp_cloud", "twilio", "evolution", "waha", "zapi"], messenger: ["messenger"], instagram: ["instagram"], email: ["email"] };
const CHOICES = { "smtp.security": ["starttls", "tls", "none"], "inbound.provider": ["", "mailgun", "sendgrid", "postmark", "ses", "brevo", "resend", "mail"] };

/** Asks for what a channel needs to send and receive; true when it was kept. @returns {Promise<boolean>} */
export async function connectionForm(channel) {
  const before = channel.connection ? await call("GET", `/channels/${channel.id}/connection`).catch(() => null) : null;
  return dialog(t("connect.title", channel.name), (close) => {
    const providers = OF[channel.type];
    const place = h("div");
    const show = (provider) => fill(place, form(PROVIDERS[provider].map((each) => input(each, before)), t("connect"), (values) => keep(provider, values), { label: t("connect") }));

    async function keep(provider, values) {
      const body = { provider };
      for (const each of PROVIDERS[provider]) {
        const { name, list } = parse(each);
        const value = values[name]?.trim();
        if (!value) continue;
        const steps = name.split(".");
        const last = steps.pop();
        const target = steps.reduce((within, step) => (within[step] ??= {}), body);
        target[last] = list ? [value] : last === "port" ? Number(value) : value;
      }
      await call("PUT", `/channels/${channel.id}/connection`, body);
      const told = await call("POST", `/channels/${channel.id}/connection/test`).catch(() => null);
      toast(told?.ok ? t("connection.works", told.account?.name ?? channel.name) : told?.error?.detail ?? t("connection.kept"));
      close(true);
    }

    const first = before?.provider ?? providers[0];
    show(first);
    return [
      h("p.small.muted", t("connect.hint")),
      providers.length > 1 && field({ name: "provider", label: t("provider"), options: providers.map((each) => [each, t(`provider.${each}`)]), value: first }),
      place,
    ].filter(Boolean).map((part) => {
      part.querySelector?.('select[name="provider"]')?.addEventListener("change", (event) => show(event.target.value));
      return part;
    });
  });
}

const parse = (each) => ({ name: each.replace(/[!?]|\[\]/g, ""), secret: each.includes("!"), optional: each.includes("?"), list: each.includes("[]") });

function input(each, before) {
  const { name, secret, optional } = parse(each);
  const value = secret ? "" : name.split(".").reduce((within, step) => within?.[step], before?.config) ?? "";
  const kept = secret && before?.secrets?.[name]?.set;
  const label = t(`field.${name.replace(/^(smtp|inbound)\./, "")}`) + (optional ? ` (${t("optional")})` : "");
  const about = field({ name, label, value, type: secret ? "password" : "text", autocomplete: "off", spellcheck: "false", hint: kept ? t("secret.kept") : "", options: CHOICES[name]?.map((key) => [key, key || "–"]) });
  about.dataset.pointer = `/${name.replaceAll(".", "/")}`;
  return about;
}
