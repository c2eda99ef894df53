// The list of jobs: each row shows the current state.

import { bind } from "./data-binding.js";
import { find, findAll, findOptional } from "./dom.js";
import * as live from "./live.js";
import { stay } from "./page-close.js";
import { keepTime } from "./passing-time.js";

const rowOf = (/** @type {string} */ id) => findOptional(document, `[data-row="${id}"]`);

live.on("brief", (job) => {
  const row = rowOf(job.id);
  if (!row) return;
  bind(row, job);
  keepTime(row, job, live.isHeard);
  row.dataset.status = job.status;
  if (job.poster && !row.querySelector("img")) showPoster(find(row, ".thumb"), job.poster);
});

for (const row of findAll(document, "[data-row]")) {
  const { holds } = find(row, "[data-holds]").dataset;
  keepTime(row, { left_holds: holds ? Number(holds) : null }, live.isHeard);
}

live.on("gone", (id) => {
  if (!rowOf(id)) return;
  stay();
  location.reload();
});

/**
 * @param {HTMLElement} place
 * @param {string} address
 */
function showPoster(place, address) {
  const image = new Image(128, 72);
  image.alt = "";
  image.src = address;
  place.replaceChildren(image);
}
