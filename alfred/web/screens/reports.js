/** Reports: how much is written, how soon it is answered, how it sounds, what waits. */

import { call, query } from "../api.js";
import { plot } from "../charts.js";
import { fill, h } from "../dom.js";
import { day, dayOf, duration, number } from "../formats.js";
import { choice } from "../forms.js";
import { mishap } from "../store.js";
import { known, t } from "../words.js";
import { page } from "./page.js";

const COLOURS = { inbound: "a", outbound: "b", positive: "b", neutral: "e", negative: "d", low: "b", medium: "c", high: "d", median: "a", p90: "c", created: "c", completed: "b", open: "a", overdue: "d", sent: "a", edited: "b", dismissed: "e" };
const REPORTS = [
  ["messages", ["inbound", "outbound"]],
  ["response-times", ["median", "p90"]],
  ["sentiment", ["positive", "neutral", "negative"]],
  ["urgency", ["low", "medium", "high"]],
  ["tasks", ["created", "completed", "overdue"]],
];
const chosen = { days: "14", channel: "" };

/** @param {HTMLElement} place */
export function open(place) {
  const body = h("div", { class: "cards wide", "aria-live": "polite" });
  const days = choice(t("report.span"), ["7", "14", "30", "90"].map((count) => [count, t("report.days", Number(count))]), chosen.days, (value) => load({ days: value }));
  const channels = choice(t("channel"), [["", t("report.channels")], ...["whatsapp", "instagram", "messenger", "email"].map((type) => [type, t(`channel.${type}`)])], chosen.channel, (value) => load({ channel: value }));
  page(place, t("nav.reports"), [days, channels], body);
  let turn = 0;

  async function load(change = {}) {
    Object.assign(chosen, change);
    const mine = (turn += 1);
    const from = dayOf(new Date(Date.now() - (Number(chosen.days) - 1) * 864e5));
    const span = query({ from, to: dayOf(new Date(Date.now() + 864e5)), channel: chosen.channel });
    const asked = await Promise.allSettled([...REPORTS.map(([name]) => call("GET", `/reports/${name}${name === "tasks" ? query({ from, to: dayOf(new Date(Date.now() + 864e5)) }) : span}`)), call("GET", "/ai/suggestions/stats")]);
    if (mine !== turn) return;
    const stats = asked.at(-1);
    const refused = asked.find((each) => each.status === "rejected");
    fill(
      body,
      REPORTS.map(([name, keys], at) => asked[at].status === "fulfilled" && report(name, keys, asked[at].value.buckets)),
      stats.status === "fulfilled" && taken(stats.value.items),
      refused && mishap(refused.reason, () => load()),
    );
  }

  load();
  return {};
}

/** One report; what a bucket has besides the expected keys is left out. */
function report(name, wanted, buckets) {
  const there = (key) => buckets.some((bucket) => field(bucket, key) !== undefined);
  const series = wanted.filter(there).map((key) => ({ name: known(`report.${key}`, key), kind: COLOURS[key], values: buckets.map((bucket) => field(bucket, key) ?? null) }));
  const times = name === "response-times";
  const total = (at) => series[at]?.values.reduce((sum, value) => sum + (value ?? 0), 0) ?? 0;
  const all = series.reduce((sum, _, at) => sum + total(at), 0);
  const share = (at) => number(all ? total(at) / all : 0, { style: "percent" });
  const middle = (at) => {
    const values = (series[at]?.values ?? []).filter((value) => value != null).sort((one, other) => one - other);
    return values.length ? duration(values[Math.floor(values.length / 2)]) : "–";
  };
  const sentence = {
    messages: () => t("report.messages.says", number(total(0)), number(total(1))),
    "response-times": () => t("report.response-times.says", middle(0), middle(1)),
    sentiment: () => t("report.sentiment.says", share(0), share(2)),
    urgency: () => t("report.urgency.says", share(2)),
    tasks: () => t("report.tasks.says", number(total(0)), number(total(1))),
  }[name]();
  return plot({ title: t(`report.${name}`), sentence, labels: buckets.map((bucket) => day(bucket.start)), series, form: times ? "lines" : "bars", say: times ? duration : number });
}

/** A number of a bucket, by the key alone or with its unit behind it. */
const field = (bucket, key) => bucket[key] ?? bucket[`${key}_seconds`];

function taken(items) {
  const series = ["sent", "edited", "dismissed"].map((key) => ({ name: t(`report.${key}`), kind: COLOURS[key], values: items.map((item) => item[key]) }));
  const sum = (key) => items.reduce((total, item) => total + item[key], 0);
  const judged = sum("sent") + sum("edited") + sum("dismissed");
  const share = number(judged ? (sum("sent") + sum("edited")) / judged : 0, { style: "percent" });
  return plot({ title: t("report.taken"), sentence: t("report.taken.says", share, number(sum("suggested"))), labels: items.map((item) => t(`report.kind.${item.kind}`)), series });
}
