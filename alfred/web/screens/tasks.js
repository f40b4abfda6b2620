/** Tasks: a board by status on a wide screen, a list by due date on a phone. */

import { call } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { day, dayOf, time, whole } from "../formats.js";
import { choice, field } from "../forms.js";
import { attempt, mishap, toast } from "../store.js";
import { again, burst, frames } from "../topics.js";
import { t } from "../words.js";
import { askFor, nothing, page } from "./page.js";
import { mark } from "./row.js";

const COLUMNS = ["open", "in_progress", "done"];
const STATUSES = [...COLUMNS, "cancelled"];
const PRIORITIES = ["low", "medium", "high", "urgent"];
const KINDS = { urgent: ["danger", "flame"], high: ["warn", "arrow-up-down"], medium: ["", "list-checks"], low: ["", "arrow-down"] };
const narrow = matchMedia("(max-width: 759px)");

/** @param {HTMLElement} place */
export function open(place) {
  let tasks = [];
  const body = h("div");
  page(place, t("nav.tasks"), [button(t("task.new"), edit, { kind: "primary", picture: "plus" })], body);

  async function load() {
    try {
      const pages = await Promise.all(COLUMNS.map((status) => call("GET", `/tasks?status=${status}&limit=${status === "done" ? 30 : 200}`)));
      tasks = pages.flatMap((told) => told.items);
      paint();
    } catch (problem) {
      fill(body, mishap(problem, load));
    }
  }

  const due = (task) => task.due_date ?? "9";
  const byDue = (one, other) => (due(one) < due(other) ? -1 : 1);

  function paint() {
    if (!tasks.length) return fill(body, nothing("list-checks", t("tasks.empty"), button(t("task.new"), edit, { picture: "plus" })));
    const held = body.contains(document.activeElement) && document.activeElement.closest("[data-id]")?.dataset.id;
    fill(body, narrow.matches ? byDate() : h("div.board", ...COLUMNS.map(column)));
    if (held) body.querySelector(`[data-id="${held}"] select`)?.focus();
    return undefined;
  }

  function column(status) {
    const own = tasks.filter((task) => task.status === status).sort(byDue);
    const over = (event) => (event.preventDefault(), element.classList.add("over"));
    const drop = (event) => {
      element.classList.remove("over");
      const task = tasks.find((each) => each.id === event.dataTransfer.getData("text/plain"));
      if (task && task.status !== status) change(task, { status });
    };
    const element = h(
      "section.column",
      { on: { dragover: over, dragleave: () => element.classList.remove("over"), drop } },
      h("h2", t(`task.${status}`), h("span.figure.muted", own.length)),
      own.length ? own.map(card) : h("p.small.muted.hollow", t("tasks.column.none")),
    );
    return element;
  }

  function byDate() {
    const waiting = tasks.filter((task) => task.status !== "done").sort(byDue);
    const groups = Map.groupBy?.(waiting, group) ?? waiting.reduce((all, task) => all.set(group(task), [...(all.get(group(task)) ?? []), task]), new Map());
    const done = tasks.filter((task) => task.status === "done");
    if (done.length) groups.set(t("task.done"), done);
    return h("div.stack", ...[...groups].map(([title, own]) => h("section.column.task-list", h("h2", title), own.map(card))));
  }

  const group = (task) => (task.overdue ? t("overdue") : task.due_date ? day(task.due_date) : t("no.date"));

  function card(task) {
    const drag = (event) => event.dataTransfer.setData("text/plain", task.id);
    return h(
      "article.card.task",
      { draggable: !narrow.matches && "true", "data-id": task.id, on: { dragstart: drag } },
      h("strong", { dir: "auto" }, task.title),
      task.description && h("p.small.muted.breaks", { dir: "auto" }, task.description),
      h(
        "div.together.small",
        mark(...KINDS[task.priority], t(`priority.${task.priority}`)),
        task.due_date && (task.overdue ? mark("danger", "clock", `${t("overdue")} · ${day(task.due_date)}`) : h("time", { datetime: task.due_date, title: whole(task.due_date), class: "muted" }, `${day(task.due_date)}, ${time(task.due_date)}`)),
      ),
      h(
        "div.spread",
        choice(t("status.of", task.title), STATUSES.map((status) => [status, t(`task.${status}`)]), task.status, (status) => change(task, { status })),
        h(
          "span.together",
          task.conversation_id && h("a.button.quiet.round", { href: `#/inbox/${task.conversation_id}`, "aria-label": t("to.conversation"), title: t("to.conversation") }, icon("message-square-text")),
          button(t("edit"), () => edit(null, task), { bare: true, picture: "pencil" }),
        ),
      ),
    );
  }

  async function change(task, body) {
    const fresh = await attempt(() => call("PATCH", `/tasks/${task.id}`, body));
    if (!fresh) return paint();
    const before = task.status;
    tasks = tasks.map((each) => (each.id === task.id ? fresh : each)).filter((each) => each.status !== "cancelled");
    if (body.status) toast(`${t(`task.${fresh.status}`)}: ${fresh.title}`, () => attempt(() => call("PATCH", `/tasks/${task.id}`, { status: before })).then(load));
    return paint();
  }

  async function edit(_event, task) {
    const fields = [
      field({ name: "title", label: t("title"), value: task?.title, maxlength: 200 }),
      field({ name: "description", label: t("description"), value: task?.description, rows: 3, maxlength: 10000 }),
      field({ name: "due_date", label: t("due"), type: "date", value: task ? task.due_date && dayOf(new Date(task.due_date)) : dayOf() }),
      field({ name: "priority", label: t("priority"), options: PRIORITIES.map((key) => [key, t(`priority.${key}`)]), value: task?.priority ?? "medium" }),
    ];
    const made = await askFor(t(task ? "task.edit" : "task.new"), fields, t(task ? "save" : "task.make"), (values) => {
      const kept = { ...values, due_date: values.due_date || null, description: values.description || null };
      if (task?.due_date && values.due_date === dayOf(new Date(task.due_date))) delete kept.due_date;
      return task ? call("PATCH", `/tasks/${task.id}`, kept) : call("POST", "/tasks", kept);
    });
    if (made) load();
  }

  load();
  const soon = burst(load, 500);
  const offs = [frames.on(({ type }) => type.startsWith("task.") && soon()), again.on(soon)];
  narrow.addEventListener("change", paint);
  return {
    leave() {
      offs.forEach((off) => off());
      narrow.removeEventListener("change", paint);
    },
  };
}
