// The form of a new job: a file is chosen or dropped, its job made, and the file sent from this very page.

import { sentenceOf, write } from "web/dom";
import { send } from "web/sending";

const form = document.querySelector("[data-new-form]");
const drop = form.querySelector("[data-drop]");
const link = form.querySelector("[name=link]");
const problem = form.querySelector("[data-problem]");
let chosen = null;

function choose(file) {
  if (!file) return;
  chosen = file;
  link.value = "";
  write(form.querySelector("[data-chosen]"), file.name);
  form.querySelector("[data-submit]").focus();
}

const picker = form.querySelector("[data-file]");
picker.addEventListener("change", () => choose(picker.files[0]));
choose(picker.files[0]); // Somebody was quicker than this script.
link.addEventListener("input", () => {
  if (!link.value || !chosen) return;
  chosen = null;
  picker.value = ""; // the same file can be chosen again
  write(form.querySelector("[data-chosen]"), form.querySelector("[data-chosen]").dataset.none);
});
form.querySelector("[data-names]").addEventListener("change", ({ target }) => {
  write(form.querySelector("[data-named]"), target.files[0]?.name ?? "");
});
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  choose(event.dataTransfer.files[0]);
});

// On a phone pages are frozen in the background. There the person is asked, once, before anything is sent.
const question = document.querySelector("[data-ask]");
const keep = form.querySelector("[data-keep]");
let toAsk = matchMedia("(pointer: coarse)").matches && !form.hasAttribute("data-asked");
let submitter = null;
keep.hidden = toAsk;
question.addEventListener("click", ({ target }) => {
  if (!target.value) return;
  toAsk = keep.hidden = false;
  keep.querySelector("input").checked = target.value === "yes";
  question.close();
  form.requestSubmit(submitter);
});

form.addEventListener("submit", async (event) => {
  const sample = event.submitter?.value === "sample";
  if (toAsk && (sample || chosen || link.value)) {
    event.preventDefault();
    submitter = event.submitter;
    question.showModal();
    return;
  }
  if (sample || !chosen) return;
  event.preventDefault();
  const button = form.querySelector("[data-submit]");
  button.disabled = true;
  problem.hidden = true;
  try {
    const fields = new FormData(form);
    fields.set("source", "upload");
    fields.set("name", chosen.name);
    fields.set("bytes", chosen.size);
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
    if (answer.status === 201) begin(await answer.json());
    else refuse(await sentenceOf(answer));
  } catch {
    refuse("");
  } finally {
    button.disabled = false;
  }
});

function refuse(sentence) {
  write(problem, sentence || problem.dataset.else);
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}

/** The address becomes the job's, so that a reload comes to its page, which asks for the same file. */
function begin(job) {
  const section = document.querySelector("[data-sending-page]");
  form.hidden = true;
  section.hidden = false;
  write(section.querySelector("[data-file-name]"), job.title);
  section.querySelector("[data-cancel]").action = `/jobs/${job.id}/cancel`;
  history.replaceState(null, "", job.url);
  send(section, chosen, job.upload.url, job.url);
}
