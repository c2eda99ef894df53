// Tells a page that is left for another page of the site from one that is closed.

const STARTING = 1_000; // ms: a navigation starts so soon after the click or the form that caused it
const ANSWERED = 60_000; // ms: within this time the server has answered it

/**
 * When the person last went for another page of the site.
 * @param {() => number} [clock]  milliseconds
 */
export function navigationClock(clock = Date.now) {
  let started = Number.NEGATIVE_INFINITY;
  return {
    start() {
      started = clock();
    },
    reset() {
      started = Number.NEGATIVE_INFINITY;
    },
    /** Whether a navigation has just started: what unloads the page now is that. */
    isStarting: () => clock() - started <= STARTING,
    /** Whether a navigation may still be under way. */
    isUnderWay: () => clock() - started <= ANSWERED,
  };
}

/**
 * Whether a click on a link opens its address in this tab.
 * @param {Pick<MouseEvent, "button" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} click
 * @param {{target: string, download: boolean}} link
 */
export function opensHere({ button, ctrlKey, metaKey, shiftKey, altKey }, { target, download }) {
  if (button || ctrlKey || metaKey || shiftKey || altKey) return false;
  return !download && (target || "_self") === "_self";
}

/**
 * Whether an address, relative to that of the page, is one of this site.
 * @param {string} address
 * @param {string} pageAddress
 */
export function isOnSite(address, pageAddress) {
  return new URL(address, pageAddress).origin === new URL(pageAddress).origin;
}
