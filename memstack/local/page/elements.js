// Builds elements. What is put into them is text, never markup.

/** The element `name`; attributes that are null are left out, `on...` are listeners. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...content.filter((part) => part !== null && part !== undefined));
  return made;
}

/** A moment of the API as this browser's user writes it. */
export function moment(text) {
  const date = new Date(text);
  const isKnown = !Number.isNaN(date.getTime());
  const shown = isKnown
    ? date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
    : text;
  return element("time", { datetime: text, title: text }, shown);
}

/** A quiet line of facts, with dots between; null is left out. */
export function facts(...parts) {
  const known = parts.filter((part) => part !== null && part !== undefined && part !== "");
  return element("p", { class: "quiet" }, ...known.flatMap((part, i) => (i ? [" · ", part] : [part])));
}

/** A button that acts when it is pressed twice; leaving it in between takes the first back. */
export function twice(label, sure, act) {
  let isSure = false;
  const button = element("button", { type: "button" }, label);
  const show = (value) => {
    isSure = value;
    button.textContent = value ? sure : label;
    button.classList.toggle("bad", value);
  };
  button.addEventListener("click", () => (isSure ? act() : show(true)));
  button.addEventListener("blur", () => show(false));
  return button;
}

/** The fields of a form that are filled in. */
export function filled(form) {
  const entries = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
  return Object.fromEntries(entries.filter(([, value]) => value));
}
