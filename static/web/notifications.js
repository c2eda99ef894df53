// Browser notifications: a job has ended while its page is not visible, for people who ask for them in this browser.

import { find } from "./dom.js";
import { forget, recall, remember } from "./storage.js";

/** @import {Job} from "./messages.js" */

const KEY = "notices";
// Phones freeze hidden pages or want a service worker: there, e-mail is offered instead.
const possible = "Notification" in window && isSecureContext && !matchMedia("(pointer: coarse)").matches;

/**
 * Show the checkbox in `place` unless notifications are blocked. Ticking it asks the browser for permission.
 * @param {HTMLElement} place
 */
export function offerNotifications(place) {
  if (!possible || Notification.permission === "denied") return;
  const box = find(place, "input", HTMLInputElement);
  box.checked = areWanted();
  place.hidden = false;
  box.addEventListener("change", async () => {
    const granted = box.checked && (await Notification.requestPermission()) === "granted";
    box.checked = granted;
    if (granted) remember(KEY, "yes");
    else forget(KEY);
    place.hidden = Notification.permission === "denied";
  });
}

/**
 * Notify about a job whose status has changed, if there is news and the page is not visible.
 * @param {Job} job
 */
export function notify({ id, news, error }) {
  if (!news || !document.hidden || !possible || !areWanted()) return;
  const notification = new Notification(news, { body: error, tag: id, lang: document.documentElement.lang });
  notification.onclick = () => {
    window.focus();
    notification.close();
  };
}

function areWanted() {
  return Notification.permission === "granted" && recall(KEY) === "yes";
}
