// The list of jobs, each row as it is now.

import { show } from "web/bind";
import { stay } from "web/leaving";
import * as live from "web/live";

const rowOf = (id) => document.querySelector(`[data-row="${id}"]`);

live.on("brief", (job) => {
  const row = rowOf(job.id);
  if (!row) return;
  show(row, job);
  row.dataset.status = job.status;
  if (job.poster && !row.querySelector("img")) picture(row.querySelector(".thumb"), job.poster);
});

live.on("gone", (id) => {
  if (!rowOf(id)) return;
  stay();
  location.reload();
});

function picture(place, address) {
  const image = new Image(128, 72);
  image.alt = "";
  image.src = address;
  place.replaceChildren(image);
}
