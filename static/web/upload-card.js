// The card of an upload: its bar and numbers, its problems, choosing the file again, and starting again with another one.

import { setProgress } from "./data-binding.js";
import { find, findOptional, write } from "./dom.js";
import { isFileOf } from "./file-check.js";
import { stay } from "./page-close.js";
import { post, sentenceOf } from "./request.js";
import { progressText } from "./units.js";
import { upload } from "./upload.js";

/** @import {Checksums, Job, UploadPlace} from "./messages.js" */
/** @import {Progress} from "./speed-meter.js" */
/** @typedef {Pick<UploadPlace, "name" | "size" | "url" | "replace">} Place */
/** @typedef {Job & {upload: UploadPlace}} UploadingJob */

const language = document.documentElement.lang;

const OVER = new Set([401, 404, 410]); // signed out, no such upload, ended: choosing a file cannot help

/** The server refused a request. Its message is the sentence for the person, or empty. */
class Refusal extends Error {
  /**
   * @param {boolean} over  whether the upload cannot go on from this page
   * @param {string} sentence
   */
  constructor(over, sentence) {
    super(sentence);
    this.over = over;
  }
}

/**
 * Make a card work: in it the file can be chosen again at any time.
 * @param {HTMLElement} section
 * @param {(job: UploadingJob) => void} onReplaced  the upload was started again with another file, as this job
 */
export function uploadCard(section, onReplaced) {
  const part = (/** @type {string} */ selector) => find(section, selector);
  const picker = find(section, "[data-file]", HTMLInputElement);
  const startAgain = find(section, "[data-start-again]", HTMLButtonElement);
  /** @type {Place} */
  let place = placeIn(section);
  /** @type {ReturnType<typeof upload> | undefined} */
  let sending;
  /** @type {File | undefined} */
  let other; // chosen, but not the file of this upload
  let choices = 0;

  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    picker.value = ""; // so that the same file can be chosen again
    if (file) choose(file);
  });
  startAgain.addEventListener("click", () => {
    if (other) replaceBy(other);
  });

  /** @param {File} file */
  async function choose(file) {
    const mine = ++choices;
    other = undefined;
    hide("[data-other-file]", "[data-choice-problem]");
    part("[data-checking]").hidden = false;
    /** @type {() => void} */
    let next;
    try {
      const same = await isFileOf(file, place, (start) => checksums(place.url, start));
      next = () => (same ? send(file) : offer(file));
    } catch (error) {
      next = () => fail(error);
    }
    if (mine !== choices) return; // another one was chosen meanwhile
    hide("[data-checking]");
    next();
  }

  /** @param {unknown} error  of a file that was chosen; a DOMException: it cannot be read */
  function fail(error) {
    const problem = part("[data-choice-problem]");
    if (error instanceof Refusal && error.over) explain(part("[data-upload-problem]"), error.message);
    else if (error instanceof Refusal) explain(problem, error.message);
    else explain(problem, error instanceof DOMException ? (problem.dataset.cannotRead ?? "") : "");
  }

  /** @param {File} file */
  function offer(file) {
    other = file;
    write(part("[data-other-name]"), file.name);
    part("[data-other-file]").hidden = false;
  }

  /**
   * Start the upload again with another file. The server deletes what it has of the old one.
   * @param {File} file
   */
  async function replaceBy(file) {
    startAgain.disabled = true;
    hide("[data-choice-problem]");
    try {
      const fields = { name: file.name, bytes: String(file.size) };
      const response = await post(place.replace, fields, { headers: { Accept: "application/json" } });
      if (response.status !== 201) throw await refusal(response);
      begin(file, await response.json());
    } catch (error) {
      fail(error);
    } finally {
      startAgain.disabled = false;
    }
  }

  /**
   * Send the file of a new job.
   * @param {File} file
   * @param {UploadingJob} job
   */
  function begin(file, job) {
    place = job.upload;
    write(part("[data-wanted-name]"), place.name);
    write(part("[data-wanted-size]"), job.upload.size_text);
    history.replaceState(null, "", job.url); // after a reload the page of the job asks for the same file
    onReplaced(job);
    send(file);
  }

  /** @param {File} file */
  function send(file) {
    sending?.abort();
    other = undefined;
    section.classList.add("sending");
    hide(
      "[data-choose]",
      "[data-unreadable]",
      "[data-other-file]",
      "[data-choice-problem]",
      "[data-upload-problem]",
      "[data-network]",
    );
    part("[data-sending]").hidden = false;
    sending = upload(file, {
      url: place.url,
      onProgress: (progress) => showProgress(part("[data-sending]"), progress),
      onWaiting: ({ sentence }) => explain(part("[data-network]"), sentence),
      onAccepted: () => hide("[data-network]"),
      onReadable: askForFile,
      onDone: finish,
      onProblem: ({ sentence }) => explain(part("[data-upload-problem]"), sentence),
    });
  }

  /** @param {boolean} readable  whether the file that is sent can be read, so that it need not be chosen again */
  function askForFile(readable) {
    findOptional(section, "[data-reloaded]")?.setAttribute("hidden", "");
    part("[data-unreadable]").hidden = readable;
    part("[data-choose]").hidden = readable;
    hide("[data-other-file]", "[data-choice-problem]", "[data-network]");
    if (!readable) write(part("[data-numbers]"), "");
  }

  /** @param {...string} selectors */
  function hide(...selectors) {
    for (const selector of selectors) part(selector).hidden = true;
  }

  return { begin };
}

/**
 * The upload of a section that the server rendered.
 * @param {HTMLElement} section
 * @returns {Place}
 */
function placeIn({ dataset }) {
  return {
    name: dataset.name ?? "",
    size: Number(dataset.size),
    url: dataset.upload ?? "",
    replace: dataset.replace ?? "",
  };
}

/**
 * Ask the server for the checksums of what has arrived from byte `start` on. Throws without a network.
 * @param {string} url
 * @param {number} start
 * @returns {Promise<Checksums>}
 */
async function checksums(url, start) {
  const response = await fetch(`${url}/checksums?from=${start}`, { headers: { "Tus-Resumable": "1.0.0" } });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/** @param {Response} response  redirected: to signing in */
async function refusal(response) {
  return new Refusal(response.redirected || OVER.has(response.status), await sentenceOf(response));
}

/**
 * @param {HTMLElement} place
 * @param {string} sentence  of the server; where it is empty, that of the page is shown
 */
function explain(place, sentence) {
  write(findOptional(place, "[data-sentence]") ?? place, sentence || (place.dataset.else ?? ""));
  place.hidden = false;
}

/** The file has arrived: its job has a page. */
function finish() {
  stay();
  location.reload();
}

/**
 * @param {HTMLElement} shown
 * @param {Progress} progress
 */
function showProgress(shown, progress) {
  setProgress(find(shown, "[data-percent]"), Math.floor((100 * progress.sent) / progress.total));
  write(find(shown, "[data-numbers]"), progressText(progress, shown.dataset.left ?? "{time}", language));
}
