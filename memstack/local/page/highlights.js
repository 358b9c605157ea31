// Marks what matched. The server tells where, in characters; JavaScript counts UTF-16 units.

import { element } from "./elements.js";

const WORD = /[\p{L}\p{N}]+/gu;

/** The text of a field of a result, with what matched in <mark>. */
export function marked(result, field, text, query) {
  const told = toldSpots(result.metadata.highlights, field, text);
  const spots = told.length ? told : wordSpots(text, query);
  const parts = [];
  let end = 0;
  for (const [from, to] of spots) {
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

// Of a server that tells none, and where a caller's own metadata has this name.
function toldSpots(highlights, field, text) {
  if (!Array.isArray(highlights)) return [];
  const characters = Array.from(text);
  const units = (count) => characters.slice(0, count).join("").length;
  return highlights
    .filter((one) => one?.field === field && Number.isInteger(one.start))
    .filter((one) => one.text && characters.slice(one.start, one.end).join("") === one.text)
    .map((one) => [units(one.start), units(one.end)])
    .sort((a, b) => a[0] - b[0]);
}

function wordSpots(text, query) {
  const wanted = new Set(query.toLowerCase().match(WORD));
  return [...text.matchAll(WORD)]
    .filter((word) => wanted.has(word[0].toLowerCase()))
    .map((word) => [word.index, word.index + word[0].length]);
}
