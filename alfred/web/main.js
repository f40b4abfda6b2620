/** The shell: who is there, which screen, keys. */

import { me, resume, session, visited } from "./api.js";
import { button, fill, h, icon } from "./dom.js";
import { formatFor } from "./formats.js";
import { counted, counts, entitle, preference, rebell, recount, unseen } from "./store.js";
import { learn, speak, t } from "./words.js";

const SCREENS = { inbox: "inbox", tasks: "list-checks", contacts: "users", rules: "sparkles", flows: "workflow", reports: "chart-column", channels: "plug", notifications: "bell", settings: "settings" };
const PHONE = ["inbox", "tasks", "contacts", "notifications"];
const app = document.getElementById("app");

let shownFor = ""; // whose shell stands, in which language
let name = "";
/** @type {{turn?: (path: string[]) => void, leave?: () => void, keys?: Record<string, () => void>} | null} */
let screen = null;
let visit = 0;

const darkness = matchMedia("(prefers-color-scheme: dark)");
function paint() {
  const theme = preference("theme", "system");
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const dark = theme === "dark" || (theme === "system" && darkness.matches);
  document.querySelector('meta[name="theme-color"]').content = dark ? "#0a0d0c" : "#10211d";
}
darkness.addEventListener("change", paint);

session.on(async (user) => {
  paint();
  const wanted = user ? `${user.id} ${user.locale}` : "";
  if (user) formatFor(user);
  if (user && wanted === shownFor) return counted.tell(counts);
  shownFor = wanted;
  leaveScreen();
  if (!user) {
    (await import("./live.js")).stop();
    await speak(navigator.language);
    return door();
  }
  await speak(user.locale);
  formatFor(user);
  build();
  await go();
  await screen?.ready; // what is not needed for the first list comes after it
  await learn();
  recount();
  rebell();
  const parts = await Promise.all(["live", "bell", "shortcuts"].map((part) => import(`./${part}.js`)));
  if (me?.id === user.id) parts.forEach((part) => part.start(() => screen));
});

async function door() {
  const { open } = await import("./screens/door.js");
  if (!me) open(app);
}

function build() {
  const link = (key) => h("a", { href: `#/${key}`, "data-screen": key, class: PHONE.includes(key) ? "" : "wide" }, icon(SCREENS[key]), h("span.cut", t(`nav.${key}`)));
  const rail = h(
    "nav.rail",
    { "aria-label": t("nav") },
    h("img.brand", { src: "/web/icon.svg", alt: "" }),
    ...Object.keys(SCREENS).map(link),
    h("a", { href: "#/more", "data-screen": "more", class: "only-phone" }, icon("ellipsis"), h("span", t("nav.more"))),
    h("button.wide.last", { on: { click: quit } }, icon("log-out"), h("span", t("logout"))),
  );
  fill(
    app,
    h("a.skip", { href: "#screen", on: { click: skip } }, t("skip")),
    h("div.shell", rail, h("div", { id: "screen" })),
    h("div.toasts"),
    h("div", { id: "said", class: "away", role: "status" }),
  );
  mark();
}

function skip(event) {
  event.preventDefault();
  document.querySelector("#screen h1")?.focus();
}

const quit = async () => (await import("./api.js")).leave();

/** The current screen and the numbers on the rail. */
function mark() {
  for (const link of app.querySelectorAll(".rail a")) {
    const key = link.dataset.screen;
    const current = key === name || (key === "more" && !PHONE.includes(name));
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    const count = key === "inbox" ? counts.unread : key === "notifications" ? unseen : 0;
    link.querySelector(".badge")?.remove();
    if (count) link.append(h("span.badge", count > 99 ? "99+" : count, h("span.away", ` ${t(key === "inbox" ? "unread" : "unseen")}`)));
  }
}
counted.on(() => me && mark());

function leaveScreen() {
  screen?.leave?.();
  screen = null;
  name = "";
}

async function go() {
  if (!me) return;
  document.querySelectorAll("dialog").forEach((box) => box.close()); // it belongs to the screen that is left
  const path = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const wanted = path[0] in SCREENS || path[0] === "more" ? path[0] : "inbox";
  const place = document.getElementById("screen");
  document.querySelector(".shell").classList.toggle("deep", wanted === "inbox" && Boolean(path[1]));
  if (screen && wanted === name) return screen.turn?.(path.slice(1));
  const first = !name;
  leaveScreen();
  name = wanted;
  mark();
  entitle(t(`nav.${name}`));
  const turn = ++visit;
  try {
    const [part] = await Promise.all([import(`./screens/${name}.js`), name !== "inbox" && learn()]);
    if (turn !== visit) return;
    fill(place);
    screen = part.open(place, path.slice(1));
  } catch (problem) {
    fill(place, h("main.page", h("h1", { tabindex: "-1" }, t("trouble")), h("p", problem.message), button(t("reload"), () => location.reload(), {})));
  }
  if (!first) place.querySelector("h1")?.focus({ preventScroll: true });
}
addEventListener("hashchange", go);

await speak(navigator.language);
async function begin() {
  try {
    if (!visited() || !(await resume())) await door();
  } catch (problem) {
    fill(app, h("div.door", h("main", h("h1", t("trouble")), h("p", { role: "alert" }, problem.message), button(t("again"), begin, { kind: "primary" }))));
  }
}
await begin();
