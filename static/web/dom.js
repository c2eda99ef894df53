// Small helpers for elements, and what a page knows of itself and says to the server.

/** `pageId`, `socket`, `pages`, `csrf`: of the page of somebody who is signed in. */
export const here = document.querySelector("[data-page-id]")?.dataset ?? {};

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

/** What went wrong, as the server says it in the language of the page; empty when it says nothing of use. */
export async function sentenceOf(answer) {
  return answer.headers.get("Content-Type")?.includes("json") ? (await answer.json()).detail ?? "" : "";
}

/** It shows that a request is one of ours. Who signs in again in another tab gets a new one, as a cookie. */
export function token() {
  return document.cookie.match(/(?:^|; )csrftoken=(\w+)/)?.[1] ?? here.csrf;
}

/** What a form of the page would send. */
export function form(fields) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", token());
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}
