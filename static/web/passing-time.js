// The time that passes between two messages: the clock of the running stage, and an estimate that runs out.

import { findAll, write } from "./dom.js";
import { clock } from "./units.js";

/** @import {Elapsed} from "./messages.js" */

const TICK = 1_000; // ms

/**
 * What a Job or a JobRow says about times.
 * @typedef {{left_holds: number | null, elapsed?: Elapsed | null}} Times
 */

/** @type {Map<ParentNode, {facts: Times, at: number}>} */
const told = new Map();

/**
 * From now on keep the times below `root`, as of these facts. They stand still while `isHeard` tells that the server is
 * not heard of: whether the job still runs is not known then.
 * @param {ParentNode} root
 * @param {Times} facts
 * @param {() => boolean} isHeard
 */
export function keepTime(root, facts, isHeard) {
  if (!told.size) setInterval(() => isHeard() && showAll(), TICK);
  told.set(root, { facts, at: Date.now() });
  showTime(root, facts, 0);
}

function showAll() {
  for (const [root, { facts, at }] of told) showTime(root, facts, (Date.now() - at) / 1000);
}

/**
 * Write `data-clock`, and `data-late` once the estimate has run out.
 * @param {ParentNode} root
 * @param {Times} facts
 * @param {number} passed  seconds since these facts were sent
 * @param {string} [language]
 */
export function showTime(root, { left_holds, elapsed }, passed, language = document.documentElement.lang) {
  if (elapsed) {
    for (const element of findAll(root, "[data-clock]")) write(element, clock(elapsed.seconds + passed, language));
  }
  if (left_holds !== null && passed >= left_holds) {
    for (const element of findAll(root, "[data-late]")) write(element, element.dataset.late ?? "");
  }
}
