// The form of a new job. A file is chosen or dropped, its job is made, and the file is uploaded from this page.

import { find, write } from "./dom.js";
import { readability } from "./file-check.js";
import { lengthOf } from "./media-length.js";
import { sentenceOf } from "./request.js";
import { uploadCard } from "./upload-card.js";

/** @import {UploadingJob} from "./upload-card.js" */
/** @import {CostEstimate} from "./messages.js" */

const form = find(document, "[data-new-form]", HTMLFormElement);
const drop = find(form, "[data-drop]");
const link = find(form, "[name=link]", HTMLInputElement);
const problem = find(form, "[data-problem]");
const picker = find(form, "[data-file]", HTMLInputElement);
const shownName = find(form, "[data-chosen]");
const submit = find(form, "[data-submit]", HTMLButtonElement);
const subtitles = find(form, "[data-names]", HTMLInputElement);
const estimate = find(form, "[data-estimate]");
/** @type {File | null} */
let chosen = null;
let seconds = 0; // of the chosen file, where they are known

/** @param {File | undefined} file */
function choose(file) {
  if (!file) return;
  chosen = file;
  link.value = "";
  write(shownName, file.name);
  submit.focus();
  measure(file);
}

/** @param {File} file  the chosen one, of which the person is told what it will cost */
async function measure(file) {
  seconds = 0;
  showEstimate();
  const found = await lengthOf(file);
  if (file !== chosen) return;
  seconds = found;
  showEstimate();
}

/** Show what the translation of the chosen file will take, by the server's word; nothing where it is not known. */
async function showEstimate() {
  const data = new FormData(form);
  const asked = { seconds: String(seconds), to: String(data.get("to")), spoken: String(data.get("spoken") ?? "") };
  const own = subtitles.files?.length ? String(data.get("subtitles_are")) : "";
  const steps = { careful: String(data.has("careful")), reads_first: String(data.has("reads_first")) };
  const query = String(new URLSearchParams({ ...asked, subtitles: own, ...steps }));
  estimate.dataset.asked = query;
  let text = "";
  try {
    const response = seconds ? await fetch(`/api/estimate?${query}`) : null;
    if (response?.ok) text = /** @type {CostEstimate} */ (await response.json()).text;
  } catch {
    // No network: the estimate is not shown.
  }
  if (estimate.dataset.asked !== query) return; // something else was chosen meanwhile
  write(estimate, text);
  estimate.hidden = !text;
}

form.addEventListener("change", ({ target }) => {
  if (target !== picker && target !== link) showEstimate();
});
picker.addEventListener("change", () => choose(picker.files?.[0]));
choose(picker.files?.[0]); // chosen before this script ran
link.addEventListener("input", () => {
  if (!link.value || !chosen) return;
  chosen = null;
  seconds = 0;
  showEstimate();
  picker.value = ""; // so that the same file can be chosen again
  write(shownName, shownName.dataset.none ?? "");
});
subtitles.addEventListener("change", () => write(find(form, "[data-named]"), subtitles.files?.[0]?.name ?? ""));
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  choose(event.dataTransfer?.files[0]);
});

// Phones freeze pages in the background. There the person is asked, once, before anything is sent.
const question = find(document, "[data-ask]", HTMLDialogElement);
const keep = find(form, "[data-keep]");
let asks = matchMedia("(pointer: coarse)").matches && !form.hasAttribute("data-asked");
/** @type {HTMLElement | null} */
let submitter = null;
keep.hidden = asks;
question.addEventListener("click", ({ target }) => {
  if (!(target instanceof HTMLButtonElement) || !target.value) return;
  asks = false;
  keep.hidden = false;
  find(keep, "input", HTMLInputElement).checked = target.value === "yes";
  question.close();
  form.requestSubmit(submitter);
});

form.addEventListener("submit", (event) => {
  const sample = event.submitter instanceof HTMLButtonElement && event.submitter.value === "sample";
  if (asks && (sample || chosen || link.value)) {
    event.preventDefault();
    submitter = event.submitter;
    question.showModal();
    return;
  }
  if (sample || !chosen) return;
  event.preventDefault();
  create(chosen);
});

/**
 * Make the job of a file, then upload it.
 * @param {File} file
 */
async function create(file) {
  submit.disabled = true;
  problem.hidden = true;
  try {
    if ((await readability(file)) === "unreadable") {
      refuse(problem.dataset.cannotRead ?? "");
      return;
    }
    const body = new FormData(form);
    body.set("source", "upload");
    body.set("name", file.name);
    body.set("bytes", String(file.size));
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.status === 201) card.begin(file, await response.json());
    else refuse(await sentenceOf(response));
  } catch {
    refuse("");
  } finally {
    submit.disabled = false;
  }
}

/** @param {string} sentence  of the server; where it is empty, that of the page is shown */
function refuse(sentence) {
  write(problem, sentence || (problem.dataset.else ?? ""));
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}

const section = find(document, "[data-sending-page]");
const card = uploadCard(section, show);

/** @param {UploadingJob} job  whose file is being uploaded from this page */
function show(job) {
  form.hidden = true;
  section.hidden = false;
  write(find(section, "[data-file-name]"), job.title);
  find(section, "[data-cancel]", HTMLFormElement).action = `/jobs/${job.id}/cancel`;
}
