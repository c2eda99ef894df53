// Captions as they come: a row each in [data-captions], and the one of the moment over a video in [data-overlay].

import { make, write } from "web/dom";
import * as live from "web/live";

const NEAR = 40; // px from the end: whoever is so near follows

const list = document.querySelector("[data-captions]");
const follow = document.querySelector("[data-follow]");
const rows = new Map(); // number → its row and the two texts in it
let byTime = []; // cues in order of their start
let following = true;

if (list) {
  for (const row of list.querySelectorAll("[data-number]")) adopt(row);
  list.addEventListener("scroll", () => {
    following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
  });
  follow?.addEventListener("change", () => {
    following = true;
    showNewest();
  });
}

function adopt(row) {
  const [source, target] = row.querySelectorAll("p");
  rows.set(Number(row.dataset.number), { row, source, target });
}

function rowOf(cue) {
  const { sourceDir, targetDir, sourceLang, targetLang } = list.dataset;
  const source = make("p", { dir: sourceDir || "auto", lang: sourceLang || undefined });
  const target = make("p", { dir: targetDir || "auto", lang: targetLang || undefined });
  const time = make("bdi", { class: "time", dir: "ltr" }, cue.clock);
  const facts = { class: "cue", "data-number": cue.number, "data-start": cue.start, "data-end": cue.end };
  const row = make("div", facts, time, source, target);
  rows.set(cue.number, { row, source, target });
  return row;
}

function render(cues, all) {
  if (all) forget(new Set(cues.map((cue) => cue.number)));
  const added = cues.filter((cue) => !rows.has(cue.number)).sort((a, b) => a.number - b.number);
  place(added);
  for (const cue of cues) {
    const { source, target } = rows.get(cue.number);
    write(source, cue.source);
    write(target, cue.target);
  }
  if (added.length) showNewest();
}

/** They come in order, so that the end is nearly always their place. */
function place(cues) {
  const end = document.createDocumentFragment();
  const last = Number(list.lastElementChild?.dataset.number ?? -1);
  for (const cue of cues) {
    if (cue.number > last) end.append(rowOf(cue));
    else [...list.children].find((row) => Number(row.dataset.number) > cue.number).before(rowOf(cue));
  }
  list.append(end);
}

function forget(kept) {
  for (const [number, { row }] of rows) {
    if (kept.has(number)) continue;
    row.remove();
    rows.delete(number);
  }
}

function showNewest() {
  if (follow?.checked && following) list.scrollTop = list.scrollHeight;
}

// Over the picture

/** The cue that is spoken at `time`. Of several the last that began. */
function at(time) {
  let low = 0;
  let high = byTime.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byTime[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  const cue = byTime[low - 1];
  return cue && cue.end > time ? cue : undefined;
}

function show() {
  const overlay = document.querySelector("[data-overlay]");
  if (!overlay) return;
  const video = overlay.parentElement.querySelector("video");
  const cue = video && at(video.currentTime);
  write(overlay, cue ? cue.target || cue.source : "");
  const dir = cue && !cue.target ? list?.dataset.sourceDir : list?.dataset.targetDir;
  overlay.dir = dir || "auto";
  overlay.hidden = !cue;
}

// Players come and go while the page stands; these events do not bubble.
for (const moment of ["timeupdate", "seeked", "loadedmetadata"]) document.addEventListener(moment, show, true);

live.on("cues", (cues, all) => {
  if (list) render(cues, all);
  byTime = [...live.state.cues.values()].sort((a, b) => a.start - b.start);
  show();
});
