// Live captions: a row for each cue in [data-captions], and the current one over the video in [data-overlay].

import { byStart, cueAt } from "./cue-index.js";
import { findAll, findOptional, make, write } from "./dom.js";
import * as live from "./live.js";

/** @import {Cue} from "./messages.js" */
/** @typedef {{row: HTMLElement, source: HTMLElement, target: HTMLElement}} CueRow */

const NEAR_END = 40; // px: a list scrolled to within this distance of its end follows new rows

const list = findOptional(document, "[data-captions]");
const follow = findOptional(document, "[data-follow]", HTMLInputElement);
/** @type {Map<number, CueRow>} */
const rows = new Map(); // by the number of the cue
/** @type {Cue[]} */
let timeline = [];
let following = true;

if (list) {
  for (const row of findAll(list, "[data-number]")) {
    const [source, target] = findAll(row, "p");
    rows.set(Number(row.dataset.number), { row, source, target });
  }
  list.addEventListener("scroll", () => {
    following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
  });
  follow?.addEventListener("change", () => {
    following = true;
    scrollToEnd(list);
  });
}

/**
 * @param {HTMLElement} list
 * @param {Cue} cue
 */
function makeRow(list, cue) {
  const { sourceDir, targetDir, sourceLang, targetLang } = list.dataset;
  const source = make("p", { dir: sourceDir || "auto", lang: sourceLang || undefined });
  const target = make("p", { dir: targetDir || "auto", lang: targetLang || undefined });
  const time = make("bdi", { class: "time", dir: "ltr", "data-speaker": cue.speaker || undefined }, cue.clock);
  const row = make("div", { class: "cue", "data-number": cue.number, "data-start": cue.start }, time, source, target);
  rows.set(cue.number, { row, source, target });
  return row;
}

/**
 * @param {HTMLElement} list
 * @param {readonly Cue[]} cues
 * @param {boolean} all  whether rows of other cues are removed
 */
function render(list, cues, all) {
  if (all) removeAllBut(new Set(cues.map((cue) => cue.number)));
  const added = cues.filter((cue) => !rows.has(cue.number)).sort((a, b) => a.number - b.number);
  insert(list, added);
  for (const cue of cues) {
    const row = rows.get(cue.number);
    if (!row) continue;
    write(row.source, cue.source);
    write(row.target, cue.target);
  }
  if (added.length) scrollToEnd(list);
}

/**
 * Insert rows by number. Cues arrive in order, so the end is nearly always the place.
 * @param {HTMLElement} list
 * @param {readonly Cue[]} cues
 */
function insert(list, cues) {
  const end = document.createDocumentFragment();
  const present = /** @type {HTMLElement[]} */ ([...list.children]);
  const last = Number(present.at(-1)?.dataset.number ?? -1);
  for (const cue of cues) {
    if (cue.number > last) end.append(makeRow(list, cue));
    else present.find((row) => Number(row.dataset.number) > cue.number)?.before(makeRow(list, cue));
  }
  list.append(end);
}

/** @param {ReadonlySet<number>} kept */
function removeAllBut(kept) {
  for (const [number, { row }] of rows) {
    if (kept.has(number)) continue;
    row.remove();
    rows.delete(number);
  }
}

/** @param {HTMLElement} list */
function scrollToEnd(list) {
  if (follow?.checked && following) list.scrollTop = list.scrollHeight;
}

function drawOverlay() {
  const overlay = findOptional(document, "[data-overlay]");
  if (!overlay) return;
  const video = overlay.parentElement && findOptional(overlay.parentElement, "video", HTMLVideoElement);
  const cue = video ? cueAt(timeline, video.currentTime) : undefined;
  write(overlay, cue ? cue.target || cue.source : "");
  const dir = cue && !cue.target ? list?.dataset.sourceDir : list?.dataset.targetDir;
  overlay.dir = dir || "auto";
  overlay.hidden = !cue;
}

// The player is replaced while the page stays. These events do not bubble, so the document captures them.
for (const event of ["timeupdate", "seeked", "loadedmetadata"]) document.addEventListener(event, drawOverlay, true);

live.on("cues", (cues, all) => {
  if (list) render(list, cues, all);
  timeline = byStart(live.state.cues.values());
  drawOverlay();
});
