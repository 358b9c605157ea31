// The view that searches.

import { ask } from "./api.js";
import { element, facts, filled, moment } from "./elements.js";
import { elsewhere, marked } from "./highlights.js";

export function searchView(view, { say, run }) {
  const form = view.querySelector("form");
  const results = view.querySelector(".results");

  form.addEventListener("submit", () =>
    run(async () => {
      const { query, group, from, to } = filled(form);
      if (!query) return;
      const filters = { group_id: group, date_from: from, date_to: to }; // JSON leaves out undefined.
      const body = { query, limit: 50, filters };
      const found = await ask("POST", "/api/v1/memory/search", { body });
      results.replaceChildren(...found.results.map((result) => shown(result)));
      say(found.total === 1 ? "1 result" : `${found.total || "No"} results`);
    }),
  );
  return { open: () => form.elements.query.focus() };
}

function shown(result) {
  const { name, source_type, source_description, group_id, valid_at } = result.metadata;
  const near = elsewhere(result);
  return element(
    "li",
    {},
    element(
      "article",
      {},
      name ? element("h3", {}, ...marked(result, "name", String(name))) : null,
      element("p", { class: "content" }, ...marked(result, "content", result.content)),
      near.length ? element("p", { class: "quiet" }, "Beside it: ", element("mark", {}, near.join(", "))) : null,
      facts(
        text(source_type),
        text(source_description),
        text(group_id),
        valid_at ? moment(valid_at) : null,
        typeof result.score === "number" ? `score ${result.score.toFixed(2)}` : null,
      ),
    ),
  );
}

const text = (value) => (value === undefined || value === null ? null : String(value));
