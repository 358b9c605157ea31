// Asks the API, with the key that was typed in. The key is kept for this tab only.

const KEY = "memstack.key";

export const key = {
  get: () => sessionStorage.getItem(KEY),
  use: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/** An answer that is no success, or none at all (status 0); the message says what to do. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** What the API answers; null where it has nothing to say. */
export async function ask(method, path, { query = {}, body } = {}) {
  const headers = { Authorization: `Bearer ${key.get()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const parameters = new URLSearchParams(query).toString();
  const target = parameters ? `${path}?${parameters}` : path;
  let response;
  try {
    response = await fetch(target, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
    });
  } catch {
    throw new Refused(0, "The server cannot be reached. Is memstack serve still running?");
  }
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : null;
  throw new Refused(response.status, message(response.status, text));
}

function message(status, text) {
  if (status === 401) {
    return (
      "The server does not take this key. One that was printed at the start ends with that run; " +
      "the one in use now is in the terminal, or in MEMSTACK_API_KEY."
    );
  }
  let detail;
  try {
    ({ detail } = JSON.parse(text));
  } catch {
    detail = null;
  }
  if (Array.isArray(detail)) detail = detail.map((rule) => `${rule.loc.at(-1)}: ${rule.msg}`).join("; ");
  return detail || `The server answered with status ${status}.`;
}
