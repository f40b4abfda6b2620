/** Plots as SVG: stacked bars and lines, with their legend and their table. */

import { fill, h, s } from "./dom.js";
import { number } from "./formats.js";
import { t } from "./words.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [560, 220, 62, 26, 12];

const narrow = matchMedia("(max-width: 759px)");

/**
 * A plot with its heading, its sentence and its table.
 * @param {{title: string, sentence: string, labels: string[], series: {name: string, kind: string, values: (number | null)[]}[],
 *   form?: "bars" | "lines", say?: (value: number) => string, steps?: number[]}} about `kind` is the colour: a to e; `steps` are round numbers
 */
export function plot({ title, sentence, labels, series, form = "bars", say = number, steps }) {
  const sums = labels.map((_, at) => series.reduce((sum, each) => sum + (each.values[at] ?? 0), 0));
  const most = form === "bars" ? Math.max(...sums, 0) : Math.max(...series.flatMap((each) => each.values.map((value) => value ?? 0)), 0);
  const top = ceiling(most, steps);
  const tables = h("div.scrolls", { hidden: true });
  const more = h("button.linklike.small", { "aria-expanded": "false", on: { click: open } }, t("chart.table"));

  function open() {
    tables.hidden = !tables.hidden;
    more.setAttribute("aria-expanded", String(!tables.hidden));
    if (!tables.firstChild) fill(tables, table(title, labels, series, say));
  }

  return h(
    "section.card.stack",
    h("h2", title),
    most > 0 && h("p", sentence),
    most > 0
      ? s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${sentence}` }, grid(top, say), form === "bars" ? bars(labels, series, top, say) : lines(labels, series, top, say), axis(labels))
      : h("p.note", t("chart.empty")),
    most > 0 && h("div.spread", h("div.legend", ...series.map((each) => h("span", s("svg", { class: "chart", viewBox: "0 0 12 12", "aria-hidden": "true" }, s("rect", { class: each.kind, width: 12, height: 12, rx: 3 })), each.name))), more),
    tables,
  );
}

/** A round number that is not below. */
function ceiling(value, steps = []) {
  if (value <= 0) return 1;
  const round = steps.find((step) => step >= value);
  if (round) return round;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * size).find((step) => step >= value);
}

const place = (value, top) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
const across = (at, count) => LEFT + ((WIDTH - LEFT) * (at + 0.5)) / count;

const grid = (top, say) =>
  [0, 0.5, 1].map((part) => [
    s("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: place(top * part, top), y2: place(top * part, top) }),
    s("text", { x: LEFT - 6, y: place(top * part, top) + 4, "text-anchor": "end" }, say(top * part)),
  ]);

function axis(labels) {
  const step = Math.ceil(labels.length / (narrow.matches ? 4 : 7));
  const first = narrow.matches ? { x: LEFT, "text-anchor": "start" } : {}; // larger there: it would run into the 0
  return labels.map((label, at) => at % step === 0 && s("text", { x: across(at, labels.length), y: HEIGHT - 6, "text-anchor": "middle", ...(at ? {} : first) }, label));
}

function bars(labels, series, top, say) {
  const wide = Math.min(36, ((WIDTH - LEFT) / labels.length) * 0.7);
  return labels.map((label, at) => {
    let base = 0;
    return series.map((each) => {
      const value = each.values[at] ?? 0;
      const from = base;
      base += value;
      if (!value) return null;
      const y = place(base, top);
      return s("rect", { class: each.kind, x: across(at, labels.length) - wide / 2, y, width: wide, height: Math.max(1, place(from, top) - y - (from ? 1.5 : 0)), rx: 2 }, s("title", {}, `${label}, ${each.name}: ${say(value)}`));
    });
  });
}

/** Gaps where nothing is known; each point is a dot that tells its value. */
function lines(labels, series, top, say) {
  return series.map((each) => {
    const stretches = [[]];
    each.values.forEach((value, at) => (value == null ? stretches.push([]) : stretches.at(-1).push([across(at, labels.length), place(value, top)])));
    const dots = each.values.map((value, at) => value != null && s("circle", { class: each.kind, cx: across(at, labels.length), cy: place(value, top), r: 3 }, s("title", {}, `${labels[at]}, ${each.name}: ${say(value)}`)));
    const whole = stretches.filter((stretch) => stretch.length > 1);
    const area = (stretch) => s("polygon", { class: `area ${each.kind}`, points: [[stretch[0][0], place(0, top)], ...stretch, [stretch.at(-1)[0], place(0, top)]].join(" ") });
    return [each === series[0] && whole.map(area), whole.map((stretch) => s("polyline", { class: each.kind, points: stretch.join(" ") })), dots];
  });
}

const table = (title, labels, series, say) =>
  h(
    "table.table",
    h("caption.away", title),
    h("thead", h("tr", h("th", { scope: "col" }, t("chart.when")), ...series.map((each) => h("th", { scope: "col", class: "number" }, each.name)))),
    h("tbody", ...labels.map((label, at) => h("tr", h("th", { scope: "row" }, label), ...series.map((each) => h("td.number", each.values[at] == null ? "–" : say(each.values[at])))))),
  );
