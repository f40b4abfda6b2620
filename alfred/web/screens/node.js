/** One step of a flow as a form. */

import { button, fill, h } from "../dom.js";
import { field, form } from "../forms.js";
import { known, t } from "../words.js";
import { said } from "./tree.js";

const FIELDS = ["message.text", "message.sentiment", "message.urgency", "message.negotiation", "message.intent", "message.language", "message.attachments", "channel.type", "contact.vip", "contact.first_conversation", "contact.name", "conversation.status", "conversation.tags", "conversation.unread_count", "time.hour", "time.weekday"];
const OPERATORS = ["eq", "ne", "contains", "contains_any", "in", "gt", "gte", "lt", "lte"];
const ACTIONS = { notify: ["title"], create_task: ["title"], add_tag: ["tag"], set_status: ["status"], send_reply: ["body"] };

/**
 * @param {any} node @param {any} definition
 * @param {{fault?: string, change: (definition: any) => void, close: () => void}} about
 */
export function nodeForm(node, definition, { fault, change, close }) {
  const others = [["", t("ends")], ...definition.nodes.filter((each) => each.id !== node.id).map((each) => [each.id, said(each)])];
  const type = field({ name: "type", label: t("step.type"), options: ["condition", "action", "switch"].map((key) => [key, t(`step.${key}`)]), value: node.type });
  const rest = h("div.stack");
  const place = h("section.card.stack");

  function parts(kind) {
    const to = (name, label) => field({ name, label, options: others, value: node[name] ?? "" });
    const label = field({ name: "label", label: `${t("label")} (${t("optional")})`, value: node.label ?? "" });
    if (kind === "switch") return [label, field({ name: "field", label: t("step.field"), options: facts(), value: node.field }), field({ name: "cases", label: t("step.cases"), rows: 3, hint: t("step.cases.hint"), value: (node.cases ?? []).map((each) => `${each.value} = ${each.next ?? ""}`).join("\n") }), to("default", t("otherwise"))];
    if (kind === "action") {
      const action = node.action ?? { action: "notify" };
      return [label, field({ name: "action", label: t("step.action"), options: Object.keys(ACTIONS).map((key) => [key, t(`action.${key}`)]), value: action.action }), field({ name: "detail", label: t("step.detail"), value: ACTIONS[action.action]?.map((name) => action[name])[0] ?? "", hint: t("step.detail.hint") }), to("next", t("step.next"))];
    }
    const when = node.when ?? { field: "message.text", op: "contains", value: "" };
    const simple = when.field !== undefined;
    const tests = simple
      ? [field({ name: "field", label: t("step.field"), options: facts(), value: when.field }), field({ name: "op", label: t("step.op"), options: OPERATORS.map((key) => [key, known(`op.${key}`, key)]), value: when.op }), field({ name: "value", label: t("step.value"), value: Array.isArray(when.value) ? when.value.join(", ") : String(when.value), hint: t("step.value.hint") })]
      : [field({ name: "when", label: t("step.when"), rows: 5, value: JSON.stringify(when, null, 1), spellcheck: "false" })];
    return [label, ...tests, to("yes", t("yes")), to("no", t("no"))];
  }

  const facts = () => FIELDS.map((key) => [key, known(`fact.${key}`, key)]);

  function read(values) {
    const next = { id: node.id, type: values.type };
    if (values.label) next.label = values.label;
    const to = (name) => (next[name] = values[name] || null);
    if (values.type === "action") {
      next.action = { ...(node.action?.action === values.action ? node.action : {}), action: values.action };
      const [name] = ACTIONS[values.action];
      if (values.detail) next.action[name] = values.detail;
      to("next");
    } else if (values.type === "switch") {
      next.field = values.field;
      next.cases = values.cases.split("\n").filter((line) => line.includes("=")).map((line) => ({ value: worth(line.split("=")[0].trim(), values.field), next: line.split("=")[1].trim() || null }));
      to("default");
    } else {
      next.when = values.when ? JSON.parse(values.when) : { field: values.field, op: values.op, value: /_any|_all|^in$/.test(values.op) ? values.value.split(",").map((each) => each.trim()) : worth(values.value, values.field) };
      to("yes");
      to("no");
    }
    return next;
  }

  const drop = () => {
    const clear = (each) => Object.fromEntries(Object.entries(each).map(([name, value]) => [name, ["yes", "no", "next", "default"].includes(name) && value === node.id ? null : value]));
    change({ ...definition, nodes: definition.nodes.filter((each) => each.id !== node.id).map(clear) });
  };
  const show = (kind) => fill(rest, ...parts(kind));
  show(node.type);
  type.querySelector("select").addEventListener("change", (event) => show(event.target.value));
  const element = form([type, rest], t("save"), async (values) => change({ ...definition, nodes: definition.nodes.map((each) => (each.id === node.id ? read(values) : each)) }), {
    label: t("step.edit"),
    beside: [button(t("cancel"), close, {}), node.id !== definition.start && button(t("delete"), drop, { kind: "danger quiet" })].filter(Boolean),
  });
  return fill(place, h("h2", t("step.edit")), fault && h("p.note.danger", fault), element);
}

/** A text as the value that its field has. */
function worth(text, name) {
  if (text === "true" || text === t("yes")) return true;
  if (text === "false" || text === t("no")) return false;
  return /hour|weekday|count/.test(name) && text !== "" ? Number(text) : text;
}
