// Small helpers for elements.

/** A new element: `attributes` by name (undefined and false: none), then its children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Write `text` into an element; what is there already stays, with what is selected in it. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Send a form to an address of the site; gives the answer, whatever it is. Throws when there is none. */
export function post(address, fields = {}, options = {}) {
  return fetch(address, { method: "POST", body: form(fields), credentials: "same-origin", ...options });
}

/** What a form of the page would send, with the token that shows it is one of ours. */
export function form(fields) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", document.body.dataset.csrf);
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}
