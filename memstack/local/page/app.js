// Decides which view is shown, and what is said of it.

import { Refused, key } from "./api.js";
import { episodesView } from "./episodes.js";
import { keysView } from "./keys.js";
import { memosView } from "./memos.js";
import { searchView } from "./search.js";

const find = (selector) => document.querySelector(selector);
const status = find("#status");
const error = find("#error");
const keyForm = find("#key-form");
const forget = find("#forget");

const makers = { search: searchView, episodes: episodesView, memos: memosView, keys: keysView };
const views = {};
let current; // Null while a key is asked for.

function say(text) {
  status.textContent = text;
}

/** Does some work with the API; what it is refused for is said, and a bad key asked for anew. */
async function run(work) {
  error.textContent = "";
  try {
    await work();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    say("");
    if (refused.status === 401) {
      key.forget();
      for (const shown of document.querySelectorAll(".results")) shown.replaceChildren();
    }
    show();
    error.textContent = refused.message;
  }
}

for (const [name, make] of Object.entries(makers)) {
  views[name] = make(find(`#${name}-view`), { say, run });
}
// No form is sent by the browser itself.
document.addEventListener("submit", (event) => event.preventDefault());

function wanted() {
  const name = location.hash.slice(1);
  return Object.hasOwn(views, name) ? name : null;
}

function show() {
  const hasKey = Boolean(key.get());
  const name = hasKey ? (wanted() ?? current ?? "search") : null;
  keyForm.hidden = hasKey;
  forget.hidden = !hasKey;
  for (const one of Object.keys(views)) find(`#${one}-view`).hidden = one !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === current) return;
  if (current) views[current].close?.();
  current = name;
  say("");
  error.textContent = "";
  if (name) views[name].open();
  else keyForm.elements.key.focus();
}

keyForm.addEventListener("submit", () => {
  key.use(keyForm.elements.key.value);
  keyForm.reset();
  show();
});

// Loaded anew, so that nothing that was shown stays in memory.
forget.addEventListener("click", () => {
  key.forget();
  location.reload();
});

addEventListener("hashchange", show);
show();
