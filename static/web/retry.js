// When a request is tried again.

const TEMPORARY = new Set([408, 409, 423, 429]); // timeout, other offset, locked by another request, too many

/**
 * Waits in milliseconds that double from `first` up to `longest`.
 * @param {number} first
 * @param {number} longest
 */
export function backoff(first, longest) {
  let wait = first;
  return {
    /** The next wait. */
    next() {
      const now = wait;
      wait = Math.min(longest, 2 * wait);
      return now;
    },
    /** Start again with the first one. */
    reset() {
      wait = first;
    },
  };
}

/**
 * Whether a response with this status ends an upload. 0: there was no response.
 * @param {number} status
 */
export function isFinal(status) {
  return status >= 400 && status < 500 && !TEMPORARY.has(status);
}
