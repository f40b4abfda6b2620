/** Flows: a tree of conditions and actions, drawn and told; tried with a message; changed by form. */

import { call } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { field, form, toggle } from "../forms.js";
import { sure } from "../dialogs.js";
import { attempt, entitle, mishap, toast } from "../store.js";
import { t } from "../words.js";
import { askFor, listing, nothing, page } from "./page.js";
import { draw, outline, said } from "./tree.js";

const BEGINNING = { start: "first", nodes: [{ id: "first", type: "condition", when: { field: "message.urgency", op: "eq", value: "high" }, yes: "tell", no: null }, { id: "tell", type: "action", action: { action: "notify" }, next: null }] };

/** @param {HTMLElement} place @param {string[]} path */
export function open(place, path) {
  function turn([id = ""]) {
    id ? one(place, id) : all(place);
  }
  turn(path);
  return { turn, keys: { Escape: () => (location.hash = "#/flows") } };
}

function all(place) {
  const body = h("div");
  const add = async () => {
    const made = await askFor(t("flow.new"), [field({ name: "name", label: t("name"), maxlength: 200 }), field({ name: "description", label: t("description"), rows: 2 })], t("flow.make"), (values) => call("POST", "/flows", { name: values.name, description: values.description || null, definition: BEGINNING }));
    if (made) location.hash = `#/flows/${made.id}`;
  };
  page(place, t("nav.flows"), [button(t("flow.new"), add, { kind: "primary", picture: "plus" })], h("p.muted", t("flows.hint")), body);
  entitle(t("nav.flows"));
  const card = (flow) =>
    h(
      "li.card.stack",
      h("div.spread", h("a.breaks", { href: `#/flows/${flow.id}` }, h("strong", { dir: "auto" }, flow.name)), h("span", { class: `mark ${flow.enabled ? "good" : ""}` }, icon(flow.enabled ? "circle-check" : "pencil"), t(flow.enabled ? "flow.on" : "flow.draft"))),
      flow.description && h("p.small.muted.breaks", { dir: "auto" }, flow.description),
      h("p.small.muted", t("flow.steps", flow.definition.nodes?.length ?? 0)),
    );
  listing(body, "/flows", {}, (items) => h("ul.cards", ...items.map(card)), () => nothing("workflow", t("flows.empty"), button(t("flow.new"), add, { picture: "plus" })));
}

async function one(place, id) {
  let flow = null;
  try {
    flow = await call("GET", `/flows/${id}`);
  } catch (problem) {
    return page(place, t("nav.flows"), [h("a.button", { href: "#/flows" }, t("back"))], mishap(problem));
  }
  let definition = structuredClone(flow.definition);
  let faults = [];
  let passed = [];
  const picture = h("div");
  const told = h("div");
  const editor = h("div");
  const result = h("div", { "aria-live": "polite" });
  const state = toggle(t("flow.on"), flow.enabled, enable, { "aria-label": t("flow.on") });
  entitle(flow.name);

  async function enable(enabled, input) {
    const fresh = await attempt(() => call("PATCH", `/flows/${id}`, { enabled }));
    if (fresh) flow = fresh;
    else input.checked = flow.enabled;
  }

  async function remove() {
    if (!(await sure(t("delete.sure", flow.name), t("flow.delete.hint"), t("delete")))) return;
    if ((await attempt(() => call("DELETE", `/flows/${id}`))) !== undefined) location.hash = "#/flows";
  }

  function paint() {
    fill(picture, draw(definition, { faults, passed, choose: edit }));
    fill(told, outline(definition, { faults, passed, choose: edit }));
  }

  async function check() {
    const verdict = await attempt(() => call("POST", "/flows/validate", { definition }));
    faults = verdict?.errors ?? [];
    paint();
    return verdict;
  }

  async function keep() {
    const fresh = await attempt(() => call("PATCH", `/flows/${id}`, { definition }));
    if (!fresh) return check();
    flow = fresh;
    toast(t("saved"));
    return check();
  }

  async function edit(node) {
    const { nodeForm } = await import("./node.js");
    fill(
      editor,
      nodeForm(node, definition, {
        fault: faults.find((fault) => fault.node_id === node.id)?.message,
        change: (next) => {
          definition = next;
          fill(editor);
          keep();
        },
        close: () => fill(editor),
      }),
    );
    editor.querySelector("input, select, textarea")?.focus();
  }

  async function add() {
    const fresh = `step${Date.now() % 100000}`;
    const node = { id: fresh, type: "action", action: { action: "notify" }, next: null };
    definition = { ...definition, nodes: [...(definition.nodes ?? []), node] };
    paint();
    edit(node);
  }

  const simulate = form(
    [field({ name: "text", label: t("flow.say"), placeholder: t("flow.say.example"), maxlength: 2000 })],
    t("flow.simulate"),
    async ({ text }) => {
      const run = await call("POST", `/flows/${id}/simulate`, { text });
      passed = run.matched_nodes.map((node) => node.id);
      paint();
      fill(result, h("ol.stack.small", ...run.matched_nodes.map((step) => h("li", `${step.label ?? said(definition.nodes.find((node) => node.id === step.id))}: `, h("strong", t(`outcome.${step.outcome}`) === `outcome.${step.outcome}` ? step.outcome : t(`outcome.${step.outcome}`))))), h("p.small", run.actions.length ? t("flow.would", run.actions.map((action) => said({ type: "action", action })).join(", ")) : t("flow.nothing")));
    },
    { label: t("flow.simulate"), kind: "" },
  );
  page(
    place,
    flow.name,
    [h("a.button.quiet", { href: "#/flows" }, icon("chevron-left"), h("span.said", t("back"))), state, button(t("step.new"), add, { picture: "plus", kind: "tight" }), button(t("delete"), remove, { bare: true, picture: "trash-2" })],
    flow.description && h("p.muted.breaks", flow.description),
    h("div.split", h("div.stack", picture, editor), h("div.stack", h("section.card.stack", h("h2", t("flow.try")), simulate, result), h("section.card.stack", h("h2", t("flow.outline")), told))),
  );
  check();
  return undefined;
}
