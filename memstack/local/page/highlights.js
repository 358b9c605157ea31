// Marks what matched. The server tells where, in characters; JavaScript counts UTF-16 units.

import { element } from "./elements.js";

/** The text of a field of a result, with what matched in <mark>. */
export function marked(result, field, text) {
  const parts = [];
  let end = 0;
  for (const [from, to] of spots(result.metadata.highlights, field, text)) {
    if (from < end) continue;
    parts.push(text.slice(end, from), element("mark", {}, text.slice(from, to)));
    end = to;
  }
  return [...parts, text.slice(end)];
}

/** What matched elsewhere: in the episodes beside it, or its date. */
export function elsewhere(result) {
  const { highlights } = result.metadata;
  if (!Array.isArray(highlights)) return [];
  const texts = highlights.filter((one) => ["context", "valid_at"].includes(one?.field));
  return [...new Set(texts.map((one) => String(one.text)))];
}

// None where a caller's own metadata has this name.
function spots(highlights, field, text) {
  if (!Array.isArray(highlights)) return [];
  const characters = Array.from(text);
  const units = (count) => characters.slice(0, count).join("").length;
  return highlights
    .filter((one) => one?.field === field && Number.isInteger(one.start))
    .filter((one) => one.text && characters.slice(one.start, one.end).join("") === one.text)
    .map((one) => [units(one.start), units(one.end)])
    .sort((a, b) => a[0] - b[0]);
}
