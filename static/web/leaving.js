// Leaving the site ends what is unfinished: ask before, and tell the server. Hidden is not closed; `unload` is not used.

import { form, here } from "web/dom";
import * as live from "web/live";

const CLOSED = 4000;
const WITHIN = 4001; // left for another page of the site
const STARTING = 1_000; // a navigation starts so soon after what began it
const SLOW = 60_000; // and its answer comes within that

const touch = matchMedia("(pointer: coarse)");
let within = 0; // when the person went for another page of the site
let gone = false;
let attached = false;

/** Another page of the site is about to be opened by a script: that is no leaving. */
export function stay() {
  within = Date.now();
}

function isLate(limit) {
  return Date.now() - within > limit;
}

function ask(event) {
  if (!isLate(STARTING)) return;
  within = 0;
  event.preventDefault();
  event.returnValue = true;
}

/** The question stands only while there is something to lose: pages with it may be kept out of the back/forward cache. */
live.on("unfinished", (ids) => {
  if (attached === ids.length > 0) return;
  attached = !attached;
  if (attached) window.addEventListener("beforeunload", ask);
  else window.removeEventListener("beforeunload", ask);
});

function isOurs(address) {
  return new URL(address, location.href).origin === location.origin;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || link.hasAttribute("download")) return;
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || (link.target || "_self") !== "_self";
  if (!elsewhere && isOurs(link.href)) stay();
});

/** Some forms of ours end the person's presence: signing out, here and in Django's admin. */
const LEAVES = "[data-leaves], #logout-form";
document.addEventListener("submit", (event) => {
  const address = event.submitter?.getAttribute("formaction") ?? event.target.getAttribute("action") ?? "";
  if (!event.defaultPrevented && !event.target.matches(LEAVES) && isOurs(address)) stay();
});

window.addEventListener("pagehide", () => {
  gone = true;
  const closes = isLate(SLOW);
  const told = live.state.connected;
  live.leave(closes ? CLOSED : WITHIN);
  if (live.state.unfinished.length && (closes || !told)) tell(live.state.unfinished[0], closes ? "close" : "within");
});

/** The address names a job, what counts is the page. */
function tell(jobId, reason) {
  const address = `/api/cancel/${jobId}`;
  const body = form({ reason, page_id: here.pageId });
  if (!navigator.sendBeacon?.(address, body)) fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
}

// It comes after `pagehide`, too, when a page is closed: that must not make a closed page stay.
function look() {
  if (!gone && touch.matches) live.say({ type: document.hidden ? "hidden" : "visible" });
}
document.addEventListener("visibilitychange", look);
live.on("hello", look); // a page that could not say so may be in sight by now

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  gone = false;
  within = 0;
  live.comeBack();
});
