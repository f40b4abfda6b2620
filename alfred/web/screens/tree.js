/** A flow as a picture and as words: layers by distance from the start. */

import { h, s } from "../dom.js";
import { known, t } from "../words.js";

const [WIDE, HIGH, ACROSS, DOWN] = [168, 52, 24, 46];

/** A condition or an action in words. */
export function said(node) {
  if (!node) return "?";
  if (node.label) return node.label;
  if (node.type === "switch") return known(`fact.${node.field}`, node.field);
  if (node.type === "condition") return condition(node.when);
  const { action, ...rest } = node.action ?? {};
  const detail = rest.title ?? rest.tag ?? rest.body ?? (rest.status && t(`status.${rest.status}`));
  return t(`action.${action}`) + (detail ? `: ${detail}` : "");
}

function condition(when) {
  if (!when) return "?";
  if (when.all) return when.all.map(condition).join(` ${t("and")} `);
  if (when.any) return when.any.map(condition).join(` ${t("or")} `);
  if (when.not) return `${t("not")} ${condition(when.not)}`;
  const value = Array.isArray(when.value) ? when.value.join(", ") : when.value === true ? t("yes") : when.value === false ? t("no") : when.value;
  return `${known(`fact.${when.field}`, when.field)} ${known(`op.${when.op}`, when.op)} ${value}`;
}

/** Where a node leads: what it is called, and to whom. @returns {[string, string][]} */
export function ways(node) {
  if (node.type === "condition") return [[t("yes"), node.yes], [t("no"), node.no]].filter(([, to]) => to);
  if (node.type === "switch") return [...(node.cases ?? []).map((each) => [String(each.value), each.next]), [t("otherwise"), node.default]].filter(([, to]) => to);
  return node.next ? [["", node.next]] : [];
}

/**
 * Places of the nodes, layer by layer from the start; those that nothing leads to stand below.
 * @returns {{places: Map<string, {x: number, y: number}>, width: number, height: number, order: any[]}}
 */
export function layout({ start, nodes = [] }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const depth = new Map();
  let layer = byId.has(start) ? [start] : [];
  for (let at = 0; layer.length && at <= nodes.length; at += 1) {
    layer.forEach((id) => depth.set(id, at));
    layer = [...new Set(layer.flatMap((id) => ways(byId.get(id)).map(([, to]) => to)))].filter((id) => byId.has(id) && !depth.has(id));
  }
  const below = Math.max(-1, ...depth.values()) + 1;
  nodes.forEach((node) => depth.has(node.id) || depth.set(node.id, below));
  const layers = [];
  const order = [...depth].map(([id]) => byId.get(id));
  order.forEach((node) => (layers[depth.get(node.id)] ??= []).push(node.id));
  const widest = Math.max(1, ...layers.map((own) => own.length));
  const places = new Map();
  layers.forEach((own, row) => own.forEach((id, at) => places.set(id, { x: (at + (widest - own.length) / 2) * (WIDE + ACROSS), y: row * (HIGH + DOWN) })));
  return { places, width: widest * (WIDE + ACROSS) - ACROSS, height: layers.length * (HIGH + DOWN) - DOWN, order };
}

/** @param {any} definition @param {{faults: any[], passed: string[], choose: (node: any) => void}} about */
export function draw(definition, { faults, passed, choose }) {
  const { places, width, height, order } = layout(definition);
  const edges = order.flatMap((node) =>
    ways(node).map(([label, to]) => {
      const [from, end] = [places.get(node.id), places.get(to)];
      if (!end) return null;
      const [x1, y1, x2, y2] = [from.x + WIDE / 2, from.y + HIGH, end.x + WIDE / 2, end.y];
      const walked = passed.includes(node.id) && passed[passed.indexOf(node.id) + 1] === to;
      return [s("path", { class: `edge${walked ? " passed" : ""}`, d: `M${x1} ${y1} C${x1} ${y1 + 26} ${x2} ${y2 - 26} ${x2} ${y2}` }), label && s("text", { class: "label", x: (x1 + x2) / 2 + 6, y: (y1 + y2) / 2 + 2 }, label)];
    }),
  );
  const node = (each) => {
    const { x, y } = places.get(each.id);
    const wrong = faults.find((fault) => fault.node_id === each.id);
    const press = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose(each));
    return s(
      "g",
      { class: `node ${each.type}${passed.includes(each.id) ? " passed" : ""}${wrong ? " wrong" : ""}`, transform: `translate(${x} ${y})`, role: "button", tabindex: "0", "aria-label": `${said(each)}${wrong ? `. ${wrong.message}` : ""}`, on: { click: () => choose(each), keydown: press } },
      s("title", {}, said(each)),
      s("rect", { width: WIDE, height: HIGH, rx: each.type === "action" ? 26 : 8 }),
      lines(said(each)).map((line, at, all) => s("text", { x: WIDE / 2, y: HIGH / 2 + 4 + (at - (all.length - 1) / 2) * 15, "text-anchor": "middle" }, line)),
    );
  };
  return h("div.flow", { role: "group", "aria-label": t("flow.picture") }, s("svg", { viewBox: `-2 -2 ${width + 4} ${height + 4}`, width: width + 4, height: height + 4 }, edges, order.map(node)));
}

/** A text in two short lines. */
function lines(text) {
  const words = text.split(/\s+/);
  let first = "";
  while (words.length && `${first} ${words[0]}`.trim().length <= 24) first = `${first} ${words.shift()}`.trim();
  if (!first) return [`${text.slice(0, 22)}…`];
  const second = words.join(" ");
  return second ? [first, second.length > 24 ? `${second.slice(0, 22)}…` : second] : [first];
}

/** The same as words, in reading order. */
export function outline(definition, { faults, passed, choose }) {
  const byId = new Map((definition.nodes ?? []).map((node) => [node.id, node]));
  const told = new Set();
  const branch = (id) => {
    const node = byId.get(id);
    if (!node) return h("li", "?");
    if (told.has(id)) return h("li.muted", `→ ${said(node)}`);
    told.add(id);
    const wrong = faults.find((fault) => fault.node_id === id);
    return h(
      "li",
      h("button.linklike", { on: { click: () => choose(node) } }, said(node)),
      passed.includes(id) && h("span.mark.good", t("flow.passed")),
      wrong && h("p.fault", wrong.message),
      ways(node).length > 0 && h("ul.history", ...ways(node).map(([label, to]) => (label ? h("li", h("span.muted", label), h("ul", branch(to))) : branch(to)))),
    );
  };
  const rest = (definition.nodes ?? []).filter((node) => node.id !== definition.start);
  const main = branch(definition.start);
  return h("ul.stack.small", main, ...rest.filter((node) => !told.has(node.id)).map((node) => branch(node.id)));
}
