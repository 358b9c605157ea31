// The view of memos.

import { ask } from "./api.js";
import { element, facts, filled, moment, twice } from "./elements.js";

const PATH = "/api/v1/memos";
const PAGE = 100;

export function memosView(view, { say, run }) {
  const form = view.querySelector("form");
  const results = view.querySelector(".results");
  const more = view.querySelector(".more");

  async function load(offset) {
    const page = await ask("GET", PATH, { query: { limit: PAGE, offset } });
    const kept = [...results.children].slice(0, offset);
    results.replaceChildren(...kept, ...page.map(shown));
    more.hidden = page.length < PAGE;
    const count = results.children.length;
    say(count === 1 ? "1 memo" : `${count || "No"} memos`);
  }

  function shown(memo) {
    const remove = async () => {
      await ask("DELETE", `${PATH}/${encodeURIComponent(memo.id)}`);
      await load(0);
      view.querySelector("textarea").focus();
    };
    return element(
      "li",
      {},
      element(
        "article",
        {},
        element("p", { class: "content" }, memo.content),
        facts(memo.visibility, memo.tags.join(", "), moment(memo.updated_at ?? memo.created_at)),
        twice("Delete", "Really delete?", () => run(remove)),
      ),
    );
  }

  more.addEventListener("click", () => run(() => load(results.children.length)));
  form.addEventListener("submit", () =>
    run(async () => {
      const { content, tags = "", visibility } = filled(form);
      const words = tags.split(",").map((tag) => tag.trim()).filter(Boolean);
      await ask("POST", PATH, { body: { content, visibility, tags: words } });
      form.reset();
      await load(0);
    }),
  );
  return { open: () => run(() => load(0)) };
}
