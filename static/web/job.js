// The page of one job.

import "web/captions";
import { fill, show } from "web/bind";
import { post } from "web/dom";
import { stay } from "web/leaving";
import * as live from "web/live";
import { offer, tell } from "web/notices";
import { speak } from "web/player";
import { ready } from "web/sending";

const main = document.querySelector("main");

live.on("job", (job) => {
  if (main.dataset.status !== job.status) tell(job);
  show(main, job);
  main.dataset.status = job.status;
  for (const stage of job.stages) {
    const item = main.querySelector(`[data-stage="${stage.name}"]`);
    item.dataset.state = stage.state;
    item.querySelector(".bar i").style.inlineSize = `${stage.percent}%`;
  }
  fill(main.querySelector(".whole [data-percent]"), job.percent);
  if (job.part !== main.dataset.part && !main.querySelector("[data-upload].sending")) renew();
});

live.on("gone", () => {
  stay();
  location.reload();
});

/** What is there to be played, downloaded or done has changed: the server makes it, here it is only put in place. */
async function renew() {
  // It names itself, or the server would take what it fetches for another open page.
  const answer = await fetch(location.pathname, { headers: { "X-Page-Id": document.body.dataset.pageId } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  main.dataset.part = fresh.dataset.part;
  for (const part of main.querySelectorAll("[data-part-of]")) {
    const next = fresh.querySelector(`[data-part-of="${part.dataset.partOf}"]`);
    if (next.dataset.key && next.dataset.key === part.dataset.key) continue;
    goOn(part.querySelector("video"), next.querySelector("video"));
    part.replaceWith(next);
  }
  ready(main);
  speak(main);
}

/** Whoever watched the source goes on in the result, where they were. */
function goOn(old, video) {
  if (!old || !video) return;
  const { currentTime, paused, muted, volume, playbackRate } = old;
  Object.assign(video, { muted, volume, playbackRate, currentTime });
  if (!paused) video.play().catch(() => {}); // a browser may want a click first
}

main.addEventListener("change", (event) => {
  const form = event.target.closest("[data-keep-form]");
  if (form) post(form.action, event.target.checked ? { [event.target.name]: "on" } : {});
});

main.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  event.submitter.disabled = true;
  try {
    await post(`/api/cancel/${main.dataset.job}`, { reason: "button" });
  } finally {
    event.submitter.disabled = false;
  }
});

// What the browser cannot play, it says by an error that does not bubble.
main.addEventListener("error", (event) => {
  if (!event.target.matches("video")) return;
  const said = main.querySelector("[data-unplayable]");
  if (said) said.hidden = false;
}, true);

main.querySelector("[data-captions]").addEventListener("click", (event) => {
  const row = event.target.closest("[data-start]");
  const video = main.querySelector("video");
  if (row && video && !getSelection().toString()) video.currentTime = Number(row.dataset.start);
});

const notices = main.querySelector("[data-notices]");
if (notices) offer(notices);
ready(main);
speak(main);
