/** Elements: made, filled, kept by key. Text is only ever text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element: `h("p.small.muted", { id: "x" }, "text")`, where the traits may be left out. `class` and any attribute; `on` is an
 * object of listeners; true sets an attribute empty, null and false leave it out. A button does not submit unless it says so.
 * @param {string} what tag and classes @param {...any} rest traits, children
 * @returns {any}
 */
export function h(what, ...rest) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (tag === "button") element.type = tag;
  if (classes.length) element.className = classes.join(" ");
  return dress(element, rest[0]?.constructor === Object ? rest.shift() : {}, rest);
}

/** The same within an SVG picture. @returns {any} */
export function s(tag, traits = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), traits, children);
}

function dress(element, { on, ...traits }, children) {
  for (const [name, value] of Object.entries(traits)) {
    if (value == null || value === false) continue;
    if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener);
  element.append(...shown(children));
  return element;
}

const shown = (children) => children.flat(3).filter((child) => child != null && child !== false && child !== "");

/** Replaces what is inside. @template {Element} T @param {T} parent @returns {T} */
export function fill(parent, ...children) {
  parent.replaceChildren(...shown(children));
  return parent;
}

/** A picture of the sprite; without a label it is decoration. */
export function icon(name, label) {
  return s("svg", { class: "icon", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) }, s("use", { href: `/web/icons.svg#${name}` }));
}

/** A button with a picture and words; `bare` keeps the words for those who cannot see the picture. */
export function button(text, click, { picture, bare, kind = "", ...traits } = {}) {
  return h(
    "button",
    { class: `button ${kind}${bare ? " quiet round" : ""}`, "aria-label": bare ? text : null, title: bare ? text : null, ...traits, on: click && { click } },
    picture && icon(picture),
    !bare && h("span.said", text),
  );
}

/**
 * Children by key and version: only what changed is touched, so that focus, selection and live regions stay.
 * @param {Element} parent
 * @param {Map<string, {version: unknown, element: HTMLElement}>} known what stands there; kept by the caller
 * @param {[key: string, version: unknown, build: (old?: HTMLElement) => HTMLElement][]} parts
 */
export function keyed(parent, known, parts) {
  const wanted = new Set(parts.map(([key]) => key));
  for (const [key, { element }] of known) {
    if (wanted.has(key)) continue;
    element.remove();
    known.delete(key);
  }
  let place = parent.firstElementChild;
  for (const [key, version, build] of parts) {
    let entry = known.get(key);
    if (!entry || entry.version !== version) {
      const old = entry?.element;
      const element = build(old);
      if (old && old !== element) {
        if (place === old) place = element;
        old.replaceWith(element);
      }
      entry = { version, element };
      known.set(key, entry);
    }
    if (entry.element === place) place = place.nextElementSibling;
    else parent.insertBefore(entry.element, place);
  }
}

/** Calls at most once in so many milliseconds after the last wish. */
export function later(milliseconds, run) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds, ...given);
  };
}
