// The view of API keys.

import { ask } from "./api.js";
import { element, facts, filled, moment, twice } from "./elements.js";

const PATH = "/api/v1/auth/keys";

export function keysView(view, { say, run }) {
  const form = view.querySelector("form");
  const made = view.querySelector(".made");
  const results = view.querySelector(".results");

  async function load() {
    const keys = await ask("GET", PATH);
    results.replaceChildren(...keys.map(shown));
    say(keys.length === 1 ? "1 key" : `${keys.length || "No"} keys`);
  }

  function shown(key) {
    const revoke = async () => {
      await ask("DELETE", `${PATH}/${encodeURIComponent(key.key_id)}`);
      await load();
      form.elements.name.focus();
    };
    return element(
      "li",
      {},
      element(
        "article",
        {},
        element("h3", {}, key.name),
        facts(
          `may ${key.permissions.join(", ")}`,
          element("span", {}, "made ", moment(key.created_at)),
          key.expires_at ? element("span", {}, "expires ", moment(key.expires_at)) : "never expires",
          element("code", {}, key.key_id),
        ),
        twice("Revoke", "Really revoke?", () => run(revoke)),
      ),
    );
  }

  function showMade(text) {
    made.hidden = !text;
    made.querySelector("code").textContent = text;
  }

  form.addEventListener("submit", () =>
    run(async () => {
      const { name, days } = filled(form);
      const permissions = new FormData(form).getAll("permissions");
      const body = { name, permissions, expires_in_days: days ? Number(days) : null };
      const { key } = await ask("POST", PATH, { body });
      form.reset();
      await load();
      showMade(key);
    }),
  );
  return {
    open: () => run(load),
    close: () => showMade(""),
  };
}
