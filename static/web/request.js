// What a page knows about itself, and its requests to the server.

/** @import {Problem} from "./messages.js" */

/**
 * `pageId`, `socket`, `pages`, `csrf` of an open page, from its `data-*` attributes; empty where nobody is signed in.
 * @type {DOMStringMap}
 */
export const page = /** @type {HTMLElement | null} */ (document.querySelector("[data-page-id]"))?.dataset ?? {};

/**
 * Post form fields to an address of the site and return the response, whatever its status. Throws without a network.
 * @param {string} address
 * @param {Record<string, string>} [fields]
 * @param {RequestInit} [options]
 */
export function post(address, fields = {}, options = {}) {
  return fetch(address, { method: "POST", body: formData(fields), credentials: "same-origin", ...options });
}

/**
 * The sentence of a refusal, in the language of the page; empty when the response has none.
 * @param {Response} response
 */
export async function sentenceOf(response) {
  if (!response.headers.get("Content-Type")?.includes("json")) return "";
  const problem = /** @type {Partial<Problem>} */ (await response.json());
  return problem.detail ?? "";
}

/** The CSRF token. The cookie comes first: it changes when somebody signs in again in another tab. */
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=(\w+)/)?.[1] ?? page.csrf ?? "";
}

/**
 * The fields and the CSRF token, as a form of the page sends them.
 * @param {Record<string, string>} fields
 */
export function formData(fields) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", csrfToken());
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}
