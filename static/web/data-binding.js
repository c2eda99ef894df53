// Data binding: facts about a job, written to the elements that name them.

import { find, findAll, write } from "./dom.js";

/** @import {Job, JobRow} from "./messages.js" */

/**
 * Update `data-text`, `data-show`, `data-checked` and `data-percent` below `root`. The bar of an upload is not touched:
 * the upload draws it.
 * @param {ParentNode} root
 * @param {Job | JobRow} facts
 */
export function bind(root, facts) {
  for (const element of findAll(root, "[data-text]")) {
    write(element, String(valueAt(facts, element.dataset.text ?? "")));
  }
  for (const element of findAll(root, "[data-show]")) element.hidden = !valueAt(facts, element.dataset.show ?? "");
  for (const element of findAll(root, "[data-checked]")) {
    if (element instanceof HTMLInputElement) element.checked = Boolean(valueAt(facts, element.dataset.checked ?? ""));
  }
  for (const element of findAll(root, "[data-percent]:not([data-sending] *)")) setProgress(element, facts.percent);
}

/**
 * Set a progress bar.
 * @param {Element} bar
 * @param {number} percent
 */
export function setProgress(bar, percent) {
  bar.setAttribute("aria-valuenow", String(percent));
  find(bar, "i").style.inlineSize = `${percent}%`;
}

/**
 * The value at a path such as `can.cancel`; an empty text when there is none.
 * @param {unknown} facts
 * @param {string} path
 * @returns {unknown}
 */
export function valueAt(facts, path) {
  /** @type {any} */
  let found = facts;
  for (const name of path.split(".")) found = found?.[name];
  return found ?? "";
}
