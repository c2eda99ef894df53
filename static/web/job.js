// The page of one job.

import "web/captions";
import { fill, show } from "web/bind";
import { here, post, sentenceOf, write } from "web/dom";
import { stay } from "web/leaving";
import * as live from "web/live";
import { offer, tell } from "web/notices";
import { speak } from "web/player";
import { ready } from "web/sending";

const main = document.querySelector("main");
const refused = main.querySelector("[data-refused]");
let renewing = false;

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
  const sending = job.status === "uploading" && main.querySelector("[data-upload].sending");
  if (job.part !== main.dataset.part && !sending) renew();
});

live.on("gone", () => {
  stay();
  location.reload();
});

/** What is there to be played, downloaded or done has changed: one request at a time, until it is what is wanted. */
async function renew() {
  if (renewing) return;
  renewing = true;
  try {
    for (let wait = 500; live.state.job.part !== main.dataset.part && !live.state.gone; wait = Math.min(2 * wait, 15_000)) {
      const fresh = await fetched();
      if (fresh) replace(fresh);
      if (fresh?.dataset.part !== live.state.job.part) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  } finally {
    renewing = false;
  }
}

/** The page as the server makes it now; null when it does not, or when somebody is signed out. */
async function fetched() {
  try {
    // It names itself, or the server would take what it fetches for another open page.
    const answer = await fetch(location.pathname, { headers: { "X-Page-Id": here.pageId } });
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main[data-job]");
  } catch {
    return null;
  }
}

function replace(fresh) {
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

/** Whether the server did it. If not, the page says why. */
async function done(address, fields) {
  let sentence = "";
  try {
    const answer = await post(address, fields, { headers: { Accept: "application/json" } });
    refused.hidden = answer.ok && !answer.redirected; // to signing in
    if (refused.hidden) return true;
    sentence = await sentenceOf(answer);
  } catch {
    // The network is away.
  }
  write(refused, sentence || refused.dataset.else);
  refused.hidden = false;
  return false;
}

main.addEventListener("change", async ({ target }) => {
  const form = target.closest("[data-keep-form]");
  if (form && !(await done(form.action, target.checked ? { [target.name]: "on" } : {}))) target.checked = !target.checked;
});

main.addEventListener("change", ({ target }) => {
  if (target.matches("[data-names]")) write(target.form.querySelector("[data-named]"), target.files[0]?.name ?? "");
});

main.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  event.submitter.disabled = true;
  await done(`/api/cancel/${main.dataset.job}`, { reason: "button" });
  event.submitter.disabled = false;
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
