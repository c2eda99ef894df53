// What the server says of a job, shown where the page has a place for it.

import { write } from "web/dom";

/** `data-text`, `data-show`, `data-checked` and `data-percent` below `root` show what `facts` say. The bar of an upload
 *  is its own. */
export function show(root, facts) {
  for (const element of root.querySelectorAll("[data-text]")) write(element, String(at(facts, element.dataset.text)));
  for (const element of root.querySelectorAll("[data-show]")) element.hidden = !at(facts, element.dataset.show);
  for (const element of root.querySelectorAll("[data-checked]")) element.checked = at(facts, element.dataset.checked);
  for (const element of root.querySelectorAll("[data-percent]:not([data-sending] *)")) fill(element, facts.percent);
}

/** A progress bar, in percent. */
export function fill(track, percent) {
  track.setAttribute("aria-valuenow", percent);
  track.firstElementChild.style.inlineSize = `${percent}%`;
}

function at(facts, path) {
  return path.split(".").reduce((found, name) => found?.[name], facts) ?? "";
}
