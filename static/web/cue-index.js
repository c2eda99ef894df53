// Cues by their time.

/** @import {Cue} from "./messages.js" */

/**
 * The cues in order of their start.
 * @param {Iterable<Cue>} cues
 */
export function byStart(cues) {
  return [...cues].sort((a, b) => a.start - b.start);
}

/**
 * The cue that is spoken at `seconds`; of several, the one that started last.
 * @param {readonly Cue[]} cues  in order of their start
 * @param {number} seconds
 * @returns {Cue | undefined}
 */
export function cueAt(cues, seconds) {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start <= seconds) low = middle + 1;
    else high = middle;
  }
  const cue = cues[low - 1];
  return cue && cue.end > seconds ? cue : undefined;
}
