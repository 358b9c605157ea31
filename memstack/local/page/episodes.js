// The view of episodes, by group and time. The API lists all of them, newest first; groups and
// days are picked out of those that are loaded here.

import { ask } from "./api.js";
import { element, facts, filled, moment } from "./elements.js";

const PATH = "/api/v1/episodes/";
const PAGE = 200;
const NO_GROUP = "none";

export function episodesView(view, { say, run }) {
  const [picking, adding] = view.querySelectorAll("form");
  const results = view.querySelector(".results");
  const more = view.querySelector(".more");
  let episodes = [];
  let total = 0;

  async function load(offset) {
    const page = await ask("GET", PATH, { query: { limit: PAGE, offset } });
    episodes = [...episodes.slice(0, offset), ...page.episodes];
    total = page.total;
    more.hidden = !page.has_more;
    offerGroups();
    show();
  }

  function offerGroups() {
    const select = picking.elements.group;
    const before = select.value;
    const groups = [...new Set(episodes.map(groupOf))];
    const options = groups.map((group) => element("option", { value: group }, nameOf(group)));
    select.replaceChildren(element("option", { value: "all" }, "All groups"), ...options);
    select.value = groups.includes(before) ? before : "all";
  }

  function show() {
    const group = picking.elements.group.value;
    const { from = "", to = "" } = filled(picking);
    const picked = episodes
      .filter((episode) => group === "all" || groupOf(episode) === group)
      .filter((episode) => dayOf(episode) >= from && (!to || dayOf(episode) <= to))
      .sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : timeOf(a) > timeOf(b) ? -1 : 0));
    const byGroup = new Map();
    for (const episode of picked) {
      byGroup.set(groupOf(episode), [...(byGroup.get(groupOf(episode)) ?? []), episode]);
    }
    results.replaceChildren(...[...byGroup].map(([name, members]) => section(name, members)));
    const loaded = episodes.length < total ? `; ${episodes.length} of ${total} are loaded` : "";
    say(`${picked.length} of ${episodes.length} episodes${loaded}`);
  }

  picking.addEventListener("change", show);
  more.addEventListener("click", () => run(() => load(episodes.length)));
  adding.addEventListener("submit", () =>
    run(async () => {
      const { name, content, group } = filled(adding);
      await ask("POST", PATH, { body: { name, content, group_id: group } });
      adding.reset();
      await load(0);
    }),
  );
  return { open: () => run(() => load(0)) };
}

// With a sign before its name, no group is taken for all of them or for none.
const groupOf = (episode) => (episode.group_id ? `=${episode.group_id}` : NO_GROUP);
const nameOf = (group) => (group === NO_GROUP ? "No group" : group.slice(1));
const timeOf = (episode) => episode.valid_at ?? episode.created_at ?? "";
const dayOf = (episode) => timeOf(episode).slice(0, 10);

function section(group, members) {
  const count = members.length === 1 ? "1 episode" : `${members.length} episodes`;
  return element(
    "section",
    {},
    element("h2", {}, nameOf(group), " ", element("small", {}, count)),
    ...members.map(shown),
  );
}

function shown(episode) {
  const own = episode.metadata ? JSON.stringify(episode.metadata, null, 2) : null;
  return element(
    "details",
    { class: "episode" },
    element("summary", {}, element("b", {}, episode.name), " ", moment(timeOf(episode))),
    element("p", { class: "content" }, episode.content),
    facts(
      episode.source_type,
      episode.source_description,
      episode.project_id && `project ${episode.project_id}`,
      episode.tenant_id && `tenant ${episode.tenant_id}`,
      episode.user_id && `user ${episode.user_id}`,
    ),
    own ? element("pre", { tabindex: "0" }, own) : null,
  );
}
