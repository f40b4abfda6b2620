/** What the screen says, in the user's language. */

export const LANGUAGES = { en: "English", "pt-BR": "Português (Brasil)", es: "Español" };

let words = {};
export let language = "en";

/** The language of ours that fits a locale best. @param {string} locale */
export function fitting(locale) {
  const base = locale.slice(0, 2).toLowerCase();
  return base === "pt" ? "pt-BR" : base === "es" ? "es" : "en";
}

/** Words that are learnt in parts: those of the door and the list, then the others. */
const read = async (part) => (await fetch(new URL(`./words/${language}${part}.json`, import.meta.url))).json();

/** Learns the words of a locale: those of the door and the list. @param {string} locale */
export async function speak(locale) {
  const wanted = fitting(locale);
  if (wanted === language && more !== undefined) return;
  language = wanted;
  words = await read("");
  more = null;
  document.documentElement.lang = language;
}

let more; // undefined before the first words, null before the others
/** Learns the other words too, once. @returns {Promise<any>} */
export function learn() {
  const into = words;
  return (more ??= read(".more").then((told) => Object.assign(into, told)));
}

/** A name whose letters or signs turn the writing, so that it turns nothing around it. */
const apart = (text) => (/[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/.test(text) ? `\u2068${text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")}\u2069` : text);

/** A text by its key; {0} stands for the first value, and a number as the first value chooses among plurals. */
export function t(key, ...values) {
  let text = words[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[new Intl.PluralRules(language).select(values[0])] ?? text.other;
  return text.replace(/\{(\d)\}/g, (_, place) => apart(String(values[place] ?? "")));
}

/** A text that may not be there, e.g. of a code that is newer than this screen. */
export const known = (key, instead) => (key in words ? t(key) : instead);
