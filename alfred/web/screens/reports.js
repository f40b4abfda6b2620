/** Reports: how much is written, how soon it is answered, how it sounds, what waits. */

import { call, query } from "../api.js";
import { plot } from "../charts.js";
import { fill, h, icon } from "../dom.js";
import { date, dayOf, duration, number } from "../formats.js";
import { choice } from "../forms.js";
import { mishap } from "../store.js";
import { t } from "../words.js";
import { nothing, page } from "./page.js";

const COLOURS = { inbound: "a", outbound: "b", positive: "b", neutral: "e", negative: "d", low: "b", medium: "c", high: "d", median: "a", p90: "c", created: "c", completed: "b", open: "a", sent: "a", edited: "b", dismissed: "e" };
const REPORTS = [
  ["messages", ["inbound", "outbound"]],
  ["response-times", ["median", "p90"]],
  ["sentiment", ["positive", "neutral", "negative"]],
  ["urgency", ["low", "medium", "high"]],
  ["tasks", ["created", "completed", "open"]],
  ["suggestions", ["sent", "edited", "dismissed"]],
];
/** Round spans for an axis, in seconds. */
const SPANS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 345600, 604800];
const chosen = { days: "14", channel: "" };

/** @param {HTMLElement} place */
export function open(place) {
  const body = h("div.cards.wide", { "aria-live": "polite" });
  const days = choice(t("report.span"), ["7", "14", "30", "90"].map((count) => [count, t("report.days", Number(count))]), chosen.days, (value) => load({ days: value }));
  const channels = choice(t("channel"), [["", t("report.channels")], ...["whatsapp", "instagram", "messenger", "email"].map((type) => [type, t(`channel.${type}`)])], chosen.channel, (value) => load({ channel: value }));
  page(place, t("nav.reports"), [days, channels], body);
  let turn = 0;

  async function load(change = {}) {
    Object.assign(chosen, change);
    const mine = (turn += 1);
    const from = dayOf(new Date(Date.now() - (Number(chosen.days) - 1) * 864e5));
    const span = query({ from, interval: chosen.days === "90" ? "week" : "day", channel: chosen.channel });
    const asked = await Promise.allSettled(REPORTS.map(([name]) => call("GET", `/reports/${name}${span}`)));
    if (mine !== turn) return;
    const found = asked.some((each) => each.value?.buckets.some((bucket) => Object.values(bucket).some((value) => typeof value === "number" && value > 0)));
    const refused = asked.find((each) => each.status === "rejected");
    if (!found && !refused) return void fill(body, nothing("chart-column", t("report.empty"), h("a.button", { href: "#/inbox" }, icon("inbox"), t("nav.inbox"))));
    fill(body, REPORTS.map(([name, keys], at) => asked[at].status === "fulfilled" && report(name, keys, asked[at].value.buckets, chosen.days === "90")), refused && mishap(refused.reason, () => load()));
  }

  load();
  return {};
}

/** One report. */
function report(name, wanted, buckets, long) {
  const series = wanted.map((key) => ({ name: t(`report.${key}`), kind: COLOURS[key], values: buckets.map((bucket) => bucket[key]) }));
  const sum = (key) => buckets.reduce((total, bucket) => total + bucket[key], 0);
  const of = (part, whole) => number(whole ? part / whole : 0, { style: "percent" });
  const middle = (key) => {
    const values = buckets.map((bucket) => bucket[key]).filter((value) => value != null).sort((one, other) => one - other);
    return values.length ? duration(values[Math.floor(values.length / 2)]) : "–";
  };
  const busiest = () => {
    const most = buckets.reduce((best, bucket) => (bucket.inbound > best.inbound ? bucket : best), buckets[0]);
    return t(long ? "report.busiest.week" : "report.busiest", date(most.start), number(most.inbound));
  };
  const all = () => wanted.reduce((total, key) => total + sum(key), 0);
  const values = {
    messages: () => [number(sum("inbound")), number(sum("outbound")), busiest()],
    "response-times": () => [middle("median"), middle("p90")],
    sentiment: () => [of(sum("positive"), all()), of(sum("negative"), all())],
    urgency: () => [of(sum("high"), all())],
    tasks: () => [number(sum("created")), number(sum("completed")), number(buckets.at(-1)?.open ?? 0)],
    suggestions: () => [of(sum("sent") + sum("edited"), all()), number(sum("suggested"))],
  }[name]();
  const lines = name === "response-times" || name === "tasks";
  return plot({ title: t(`report.${name}`), sentence: t(`report.${name}.says`, ...values), labels: buckets.map((bucket) => date(bucket.start)), series, form: lines ? "lines" : "bars", ...(name === "response-times" && { say: duration, steps: SPANS }) });
}
