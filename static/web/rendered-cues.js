// The cues that the server has rendered into a page: they are not sent again.

import { find, findAll } from "./dom.js";

/** @import {Cue} from "./messages.js" */

/**
 * @param {ParentNode} root
 * @returns {Cue[]}
 */
export function readCues(root) {
  return Array.from(findAll(root, "[data-captions] [data-number]"), (row) => {
    const { number, start, end } = row.dataset;
    const [source, target] = findAll(row, "p");
    const time = find(row, ".time");
    return {
      number: Number(number),
      start: Number(start),
      end: Number(end),
      clock: time.textContent ?? "",
      source: source.textContent ?? "",
      target: target.textContent ?? "",
      answered: row.hasAttribute("data-answered"),
      speaker: time.dataset.speaker ?? "",
    };
  });
}
