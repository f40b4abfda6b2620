/** Moments, numbers and money in the user's zone, locale and currency. */

import { language, t } from "./words.js";

let zone = "UTC";
let locale = "en";
let currency = "USD";
const made = new Map();

/** Whose. @param {{timezone: string, locale: string, currency: string}} user */
export function formatFor(user) {
  zone = user.timezone;
  currency = user.currency;
  try {
    locale = Intl.getCanonicalLocales(user.locale)[0];
  } catch {
    locale = language;
  }
  made.clear();
}

function dates(options) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }));
  return made.get(key);
}

/** The day as YYYY-MM-DD in the user's zone. @param {Date} [at] */
export function dayOf(at = new Date()) {
  if (!made.has("day")) made.set("day", new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }));
  return made.get("day").format(at);
}

/** How many days ago; negative is to come. */
export function daysAgo(at) {
  return Math.round((Date.parse(dayOf()) - Date.parse(dayOf(at))) / 864e5);
}

export const time = (moment) => dates({ hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

const near = (days) => (days === 0 ? t("today") : days === 1 ? t("yesterday") : days === -1 ? t("tomorrow") : null);

/** A day in words: Today, Yesterday, a weekday of the last six days, a date. */
export function day(moment) {
  const at = new Date(moment);
  const days = daysAgo(at);
  if (near(days)) return near(days);
  if (days > 0 && days < 7) return dates({ weekday: "long" }).format(at);
  const sameYear = dayOf(at).slice(0, 4) === dayOf().slice(0, 4);
  return dates({ day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) }).format(at);
}

/** A date without a year, as an axis needs it. */
export const date = (moment) => dates({ day: "numeric", month: "short" }).format(new Date(moment));

/** As short as a list needs it: a time today, then Yesterday, then a date. */
export const brief = (moment) => (daysAgo(new Date(moment)) === 0 ? time(moment) : day(moment));

/** Day and time. */
export const moment = (at) => `${day(at)}, ${time(at)}`;

/** In full, for a title. */
export const whole = (at) => dates({ dateStyle: "full", timeStyle: "short" }).format(new Date(at));

export const number = (value, options) => new Intl.NumberFormat(locale, options).format(value);

/** A price; the currency is the user's unless it is said. */
export const money = (amount, of = currency) => (amount == null ? "–" : number(Number(amount), { style: "currency", currency: of }));

/** How long, in the largest unit that fits. @param {number} seconds */
export function duration(seconds) {
  const [unit, size] = seconds < 60 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : seconds < 129600 ? ["hour", 3600] : ["day", 86400];
  const count = seconds / size;
  return number(count, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: count < 10 && unit !== "second" ? 1 : 0 });
}

/** The size of a file. */
export function size(bytes) {
  const [unit, by] = bytes < 1e3 ? ["byte", 1] : bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return number(bytes / by, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
}

/** A moment of the user's wall clock as an instant. @param {string} wall YYYY-MM-DDTHH:MM */
export function instant(wall) {
  const guess = Date.parse(`${wall}Z`);
  let at = guess;
  for (let round = 0; round < 2; round++) at = guess - (Date.parse(`${wallOf(new Date(at))}Z`) - at);
  return new Date(at).toISOString();
}

/** The user's wall clock as a field wants it. @param {Date} at */
export function wallOf(at) {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return `${dayOf(at)}T${clock.format(at)}`;
}
