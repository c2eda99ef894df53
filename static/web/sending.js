// A file on its way to the server: its bar, its speed, the time it still takes; and the same file, chosen again.

import { fill } from "web/bind";
import { write } from "web/dom";
import { stay } from "web/leaving";
import { fingerprint, upload } from "web/upload";

const language = document.documentElement.lang;
const key = (address) => `upload ${address}`;

/** Ask for the file of an upload that was cut by a reload, where the page has a place for that. */
export function ready(root) {
  const section = root.querySelector("[data-upload]:not(.sending)");
  section?.querySelector("[data-file]")?.addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const same = await isSame(file, section.dataset);
    section.querySelector("[data-wrong-file]").hidden = same;
    if (same) send(section, file, section.dataset.upload, location.href);
  });
}

async function isSame(file, { name, size, upload: address }) {
  const known = recall(address);
  if (known) return known === (await fingerprint(file));
  return file.name === name && file.size === Number(size);
}

/** Send `file` to `address`, show it in `section`, and go to the page `then` when it is there. */
export async function send(section, file, address, then) {
  section.classList.add("sending");
  section.querySelector("[data-waiting]")?.setAttribute("hidden", "");
  const shown = section.querySelector("[data-sending]");
  shown.hidden = false;
  const hint = shown.querySelector("[data-network]");
  fingerprint(file).then((found) => remember(address, found));
  upload(file, {
    url: address,
    onProgress: (progress) => say(shown, progress),
    onWaiting: ({ sentence }) => explain(hint, sentence),
    onAccepted: () => (hint.hidden = true),
    onDone: () => leave(address, then),
    onProblem: ({ sentence }) => explain(shown.querySelector("[data-upload-problem]"), sentence),
  });
}

function explain(place, sentence) {
  write(place, sentence || place.dataset.else);
  place.hidden = false;
}

function leave(address, then) {
  forget(address);
  stay();
  if (then === location.href) location.reload();
  else location.replace(then);
}

function say(shown, { sent, total, bytesPerSecond, secondsLeft }) {
  fill(shown.querySelector("[data-percent]"), Math.floor((100 * sent) / total));
  const parts = [`${size(sent)} / ${size(total)}`];
  if (bytesPerSecond) parts.push(`${number(bytesPerSecond / 1e6, "megabyte-per-second")}`);
  if (Number.isFinite(secondsLeft)) parts.push(shown.dataset.left.replace("{time}", time(secondsLeft)));
  write(shown.querySelector("[data-numbers]"), parts.join(" · "));
}

function size(bytes) {
  return bytes >= 1e9 ? number(bytes / 1e9, "gigabyte") : number(bytes / 1e6, "megabyte");
}

function time(seconds) {
  return seconds < 60 ? number(Math.ceil(seconds), "second") : number(Math.round(seconds / 60), "minute");
}

function number(value, unit) {
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

function remember(address, found) {
  try {
    localStorage.setItem(key(address), found);
  } catch {
    // A private window: name and size must do.
  }
}

function recall(address) {
  try {
    return localStorage.getItem(key(address));
  } catch {
    return null;
  }
}

function forget(address) {
  try {
    localStorage.removeItem(key(address));
  } catch {
    // It was not kept either.
  }
}
