// An upload on a page: its bar and numbers, its problems, and choosing the same file again after a reload.

import { setProgress } from "./data-binding.js";
import { find, findOptional, write } from "./dom.js";
import { fingerprint } from "./fingerprint.js";
import { stay } from "./page-close.js";
import { forget, recall, remember } from "./storage.js";
import { progressText } from "./units.js";
import { upload } from "./upload.js";

/** @import {Progress} from "./speed-meter.js" */

const language = document.documentElement.lang;
const keyOf = (/** @type {string} */ address) => `upload ${address}`;

/**
 * Where a reload interrupted an upload, wait for its file to be chosen again.
 * @param {ParentNode} root
 */
export function offerToResume(root) {
  const section = findOptional(root, "[data-upload]:not(.sending)");
  if (!section) return;
  const picker = find(section, "[data-file]", HTMLInputElement);
  picker.addEventListener("change", async () => {
    const file = picker.files?.[0];
    if (!file) return;
    const same = await isSame(file, section);
    find(section, "[data-wrong-file]").hidden = same;
    if (same) send(section, file, section.dataset.upload ?? "", location.href);
  });
}

/**
 * Whether `file` is the one of the interrupted upload in `section`.
 * @param {File} file
 * @param {HTMLElement} section
 */
async function isSame(file, section) {
  const { name, size, upload: address = "" } = section.dataset;
  const known = recall(keyOf(address));
  if (known) return known === (await fingerprint(file));
  return file.name === name && file.size === Number(size);
}

/**
 * Send `file` to `address`, show the progress in `section`, and open the page `next` at the end.
 * @param {HTMLElement} section
 * @param {File} file
 * @param {string} address
 * @param {string} next
 */
export function send(section, file, address, next) {
  section.classList.add("sending");
  findOptional(section, "[data-waiting]")?.setAttribute("hidden", "");
  const shown = find(section, "[data-sending]");
  shown.hidden = false;
  const network = find(shown, "[data-network]");
  fingerprint(file).then((found) => remember(keyOf(address), found));
  upload(file, {
    url: address,
    onProgress: (progress) => showProgress(shown, progress),
    onWaiting: ({ sentence }) => explain(network, sentence),
    onAccepted: () => {
      network.hidden = true;
    },
    onDone: () => finish(address, next),
    onProblem: ({ sentence }) => explain(find(shown, "[data-upload-problem]"), sentence),
  });
}

/**
 * @param {HTMLElement} place
 * @param {string} sentence  of the server; where it is empty, that of the page is shown
 */
function explain(place, sentence) {
  write(place, sentence || (place.dataset.else ?? ""));
  place.hidden = false;
}

/**
 * @param {string} address
 * @param {string} next
 */
function finish(address, next) {
  forget(keyOf(address));
  stay();
  if (next === location.href) location.reload();
  else location.replace(next);
}

/**
 * @param {HTMLElement} shown
 * @param {Progress} progress
 */
function showProgress(shown, progress) {
  setProgress(find(shown, "[data-percent]"), Math.floor((100 * progress.sent) / progress.total));
  write(find(shown, "[data-numbers]"), progressText(progress, shown.dataset.left ?? "{time}", language));
}
