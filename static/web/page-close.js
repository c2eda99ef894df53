// Closing the last page of the site cancels unfinished jobs: the browser asks before, and the server is told.
// A hidden page is not a closed one. `unload` is not used: browsers skip it.

import * as live from "./live.js";
import { isOnSite, navigationClock, opensHere } from "./navigation.js";
import { formData, page } from "./request.js";

const CLOSED = 4000; // codes of the socket, as in jobs/web/
const WITHIN = 4001; // left for another page of the site
const SIGN_OUT = "[data-leaves], #logout-form"; // forms that end the person's presence, here and in Django's admin

const touch = matchMedia("(pointer: coarse)");
const navigation = navigationClock();
let hidden = false; // by `pagehide`
let asks = false;

/** A script is about to open another page of the site: the page is not closed. */
export function stay() {
  navigation.start();
}

/** Whether another page of the site has been asked for and may still come: a reload now would abort it. */
export function isLeaving() {
  return navigation.isUnderWay();
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  if (navigation.isStarting()) return;
  navigation.reset();
  event.preventDefault();
  event.returnValue = true; // for older browsers
}

/** The question is attached only while there is something to lose: it may keep pages out of the back/forward cache. */
live.on("unfinished", (ids) => {
  if (asks === ids.length > 0) return;
  asks = !asks;
  if (asks) window.addEventListener("beforeunload", ask);
  else window.removeEventListener("beforeunload", ask);
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.hasAttribute("href") || event.defaultPrevented) return;
  const here = opensHere(event, { target: link.target, download: link.hasAttribute("download") });
  if (here && isOnSite(link.href, location.href)) stay();
});

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !(event.target instanceof Element) || event.target.matches(SIGN_OUT)) return;
  const address = event.submitter?.getAttribute("formaction") ?? event.target.getAttribute("action") ?? "";
  if (isOnSite(address, location.href)) stay();
});

window.addEventListener("pagehide", () => {
  hidden = true;
  const closes = !navigation.isUnderWay();
  const [first] = live.state.unfinished;
  const told = live.state.connected;
  live.leave(closes ? CLOSED : WITHIN);
  if (first && (closes || !told)) tell(first, closes ? "close" : "within");
});

/**
 * Tell the server by a request that outlives the page. The job is only the address: the lease of the page ends.
 * @param {string} jobId
 * @param {"close" | "within"} reason
 */
function tell(jobId, reason) {
  const address = `/api/cancel/${jobId}`;
  const body = formData({ reason, page_id: page.pageId ?? "" });
  if (!navigator.sendBeacon?.(address, body)) fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
}

/** On phones hidden pages are frozen. A closing page gets this event after `pagehide`: then nothing is said. */
function sayVisibility() {
  if (!hidden && touch.matches) live.say({ type: document.hidden ? "hidden" : "visible" });
}
document.addEventListener("visibilitychange", sayVisibility);
live.on("hello", sayVisibility); // it may have changed while there was no connection

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  hidden = false;
  navigation.reset();
  live.comeBack();
});
