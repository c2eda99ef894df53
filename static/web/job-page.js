// The page of one job.

import "./captions.js";
import { bind, setProgress } from "./data-binding.js";
import { find, findAll, findOptional, write } from "./dom.js";
import * as live from "./live.js";
import { notify, offerNotifications } from "./notifications.js";
import { isLeaving, stay } from "./page-close.js";
import { keepTime } from "./passing-time.js";
import { translatePlayers } from "./player-strings.js";
import { post, sentenceOf } from "./request.js";
import { backoff } from "./retry.js";
import { uploadCard } from "./upload-card.js";

/** @import {UploadingJob} from "./upload-card.js" */

const FIRST_WAIT = 500; // ms between two requests for the page, doubled up to the longest
const LONGEST_WAIT = 15_000;
const LEAVING = 1_000; // ms between two looks whether the page is still being left

const main = find(document, "main");
const refused = find(main, "[data-refused]");
let renewing = false;

live.on("job", (job) => {
  if (main.dataset.status !== job.status) notify(job);
  bind(main, job);
  keepTime(main, job, live.isHeard);
  main.dataset.status = job.status;
  for (const stage of job.stages) {
    const item = find(main, `[data-stage="${stage.name}"]`);
    item.dataset.state = stage.state;
    find(item, ".bar i").style.inlineSize = `${stage.percent}%`;
  }
  setProgress(find(main, ".whole [data-percent]"), job.percent);
  const sending = job.status === "uploading" && main.querySelector("[data-upload].sending");
  if (!isCurrent() && !sending) renew();
});

live.on("gone", showThatItIsGone);

/** The job was deleted. Who deleted it here is about to see the list: the page that says it is gone must not be faster. */
function showThatItIsGone() {
  if (isLeaving()) {
    setTimeout(showThatItIsGone, LEAVING);
    return;
  }
  stay();
  location.reload();
}

/** Whether the parts that the server renders belong to the current state of the job. */
function isCurrent() {
  return main.dataset.part === live.state.job?.part;
}

/** Fetch the parts that the server renders until they are current, by one request at a time. */
async function renew() {
  if (renewing) return;
  renewing = true;
  const waits = backoff(FIRST_WAIT, LONGEST_WAIT);
  try {
    while (!isCurrent() && !live.state.gone) {
      const fresh = await fetchParts();
      if (fresh) replaceParts(fresh);
      if (!isCurrent()) await new Promise((resolve) => setTimeout(resolve, waits.next()));
    }
  } finally {
    renewing = false;
  }
}

/** The parts as the server renders them now; null without a network, on an error, or when the person is signed out. */
async function fetchParts() {
  try {
    const response = await fetch(`${location.pathname}parts`);
    if (!response.ok) return null;
    return findOptional(new DOMParser().parseFromString(await response.text(), "text/html"), "main[data-part]");
  } catch {
    return null;
  }
}

/**
 * Replace the parts of the page, except those whose key is the same.
 * @param {HTMLElement} fresh
 */
function replaceParts(fresh) {
  main.dataset.part = fresh.dataset.part;
  for (const part of findAll(main, "[data-part-of]")) {
    const next = find(fresh, `[data-part-of="${part.dataset.partOf}"]`);
    if (next.dataset.key && next.dataset.key === part.dataset.key) continue;
    const [old, video] = [part, next].map((side) => findOptional(side, "video", HTMLVideoElement));
    if (old && video) continuePlaying(old, video);
    part.replaceWith(next);
  }
  offerToResume();
  translatePlayers(main);
}

/** Where a reload interrupted an upload, wait for its file to be chosen again. */
function offerToResume() {
  const section = findOptional(main, "[data-upload]:not(.sending)");
  if (section) uploadCard(section, watch);
}

/**
 * The upload was started again as another job: from now on this is the page of that one.
 * @param {UploadingJob} job
 */
function watch(job) {
  for (const form of main.querySelectorAll("form")) form.action = form.action.replace(main.dataset.job ?? "", job.id);
  main.dataset.job = job.id;
  main.dataset.part = job.part;
  live.watch(job.id);
}

/**
 * Whoever watches the source goes on at the same place in the result.
 * @param {HTMLVideoElement} old
 * @param {HTMLVideoElement} video
 */
function continuePlaying({ currentTime, paused, muted, volume, playbackRate }, video) {
  Object.assign(video, { muted, volume, playbackRate, currentTime });
  if (!paused) video.play().catch(() => {}); // browsers may want a click first
}

/**
 * Post to the server. Returns whether it did what was asked; if not, the page says why.
 * @param {string} address
 * @param {Record<string, string>} fields
 */
async function isDone(address, fields) {
  let sentence = "";
  try {
    const response = await post(address, fields, { headers: { Accept: "application/json" } });
    refused.hidden = response.ok && !response.redirected; // redirected: to signing in
    if (refused.hidden) return true;
    sentence = await sentenceOf(response);
  } catch {
    // No network: the sentence of the page is shown.
  }
  write(refused, sentence || (refused.dataset.else ?? ""));
  refused.hidden = false;
  return false;
}

main.addEventListener("change", async ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.form?.matches("[data-keep-form]")) return;
  const done = await isDone(target.form.action, target.checked ? { [target.name]: "on" } : {});
  if (!done) target.checked = !target.checked;
});

main.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.form || !target.matches("[data-names]")) return;
  write(find(target.form, "[data-named]"), target.files?.[0]?.name ?? "");
});

main.addEventListener("submit", async (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  const button = event.submitter;
  button?.setAttribute("disabled", "");
  await isDone(`/api/cancel/${main.dataset.job}`, { reason: "button" });
  button?.removeAttribute("disabled");
});

// A video that the browser cannot play. The event does not bubble, so it is captured.
main.addEventListener(
  "error",
  ({ target }) => {
    const notice = target instanceof HTMLVideoElement && findOptional(main, "[data-unplayable]");
    if (notice) notice.hidden = false;
  },
  true,
);

find(main, "[data-captions]").addEventListener("click", ({ target }) => {
  const row = target instanceof Element ? target.closest("[data-start]") : null;
  const video = findOptional(main, "video", HTMLVideoElement);
  const selects = getSelection()?.toString();
  if (row instanceof HTMLElement && video && !selects) video.currentTime = Number(row.dataset.start);
});

const notifications = findOptional(main, "[data-notices]");
if (notifications) offerNotifications(notifications);
offerToResume();
translatePlayers(main);
