/** Many conversations at once: close, tag, read. */

import { call } from "../api.js";
import { button, h } from "../dom.js";
import { attempt, toast } from "../store.js";
import { t } from "../words.js";

/** @param {{ids: string[], filter: any, all: () => void, done: () => void}} about */
export function actions({ ids, filter, all, done }) {
  const change = async (what) => {
    let updated = 0;
    for (let at = 0; at < ids.length; at += 200) {
      const result = await attempt(() => call("POST", "/conversations/bulk", { ids: ids.slice(at, at + 200), change: what }));
      if (!result) return;
      updated += result.updated;
    }
    toast(t("bulk.done", updated));
    done();
  };
  const everything = async () => {
    const { sure } = await import("../dialogs.js");
    if (!(await sure(t("bulk.all"), t("bulk.all.hint"), t("close")))) return;
    const given = Object.fromEntries(Object.entries(filter).filter(([name, value]) => value && name !== "sort"));
    let updated = 0;
    for (let more = true; more; ) {
      const result = await attempt(() => call("POST", "/conversations/bulk", { filter: given, change: { status: "closed" } }));
      updated += result?.updated ?? 0;
      more = Boolean(result?.has_more && result.updated);
    }
    toast(t("bulk.done", updated));
    done();
  };
  const tag = h("input", {
    class: "input slim",
    "aria-label": t("tag.add"),
    placeholder: t("tag.add"),
    maxlength: 50,
    on: { keydown: (event) => event.key === "Enter" && tag.value.trim() && change({ add_tags: [tag.value.trim()] }) },
  });
  const off = ids.length === 0;
  return h(
    "div.bulk",
    { role: "group", "aria-label": t("select.many") },
    h("strong", { role: "status" }, t("chosen", ids.length)),
    button(t("close"), () => change({ status: "closed" }), { kind: "quiet", disabled: off }),
    button(t("mark.read"), () => change({ unread: false }), { kind: "quiet", disabled: off }),
    button(t("mark.unread"), () => change({ unread: true }), { kind: "quiet", disabled: off }),
    tag,
    button(t("select.all"), all, { kind: "quiet" }),
    button(t("bulk.close.all"), everything, { kind: "quiet" }),
    button(t("cancel"), done, { kind: "quiet" }),
  );
}
