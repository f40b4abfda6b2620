/** An empty account is led to its first message. */

import { call, query } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { attempt } from "../store.js";
import { language, t } from "../words.js";

const SAMPLES = {
  en: ["Marina Quintela", "Hi! Is the Lagoa table still available? I need it today, it is urgent."],
  "pt-BR": ["Marina Quintela", "Oi! A mesa Lagoa ainda está disponível? Preciso dela hoje, é urgente."],
  es: ["Marina Quintela", "¡Hola! ¿La mesa Lagoa sigue disponible? La necesito hoy, es urgente."],
};

/** Fills the place where conversations will stand, while there is none at all. @param {HTMLElement} place */
export async function first(place) {
  const page = await call("GET", `/conversations${query({ limit: 1 })}`).catch(() => null);
  if (!page || page.items.length) return;
  const sample = () => attempt(async () => {
    const [name, body] = SAMPLES[language];
    const { messages } = await call("POST", "/webhooks/whatsapp", cloud(name, body));
    location.hash = `#/inbox/${messages[0].conversation_id}`;
  });
  fill(
    place,
    icon("inbox"),
    h("h2", t("first.title")),
    h("p.muted", t("first.hint")),
    h("div.together", button(t("first.try"), sample, { kind: "primary", picture: "play" }), h("a.button", { href: "#/channels" }, icon("plug"), t("first.connect"))),
  );
}

/** What WhatsApp would post. */
function cloud(name, body) {
  const now = Date.now();
  const message = { from: "5511900000012", id: `wamid.sample${now}`, timestamp: String(Math.floor(now / 1000)), type: "text", text: { body } };
  const value = { messaging_product: "whatsapp", metadata: { display_phone_number: "5511900000901", phone_number_id: "109900000000001" }, contacts: [{ profile: { name }, wa_id: message.from }], messages: [message] };
  return { object: "whatsapp_business_account", entry: [{ id: "1", changes: [{ field: "messages", value }] }] };
}
