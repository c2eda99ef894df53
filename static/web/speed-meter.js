// The speed of a transfer.

const SPAN = 5000; // ms: older speeds count less and less
const SHORTEST = 200; // ms between two measurements

/**
 * @typedef {object} Progress
 * @property {number} sent  bytes
 * @property {number} total  bytes
 * @property {number} bytesPerSecond  0 until it is known
 * @property {number | null} secondsLeft  null until it is known
 */

/**
 * A function that takes the bytes sent so far and returns the progress, with a moving average of the speed.
 * @param {number} total  bytes
 * @param {() => number} [clock]  milliseconds
 * @returns {(sent: number) => Progress}
 */
export function speedMeter(total, clock = () => performance.now()) {
  let then = clock();
  /** @type {number | null} */
  let before = null;
  /** @type {number | null} */
  let speed = null; // bytes a millisecond
  return (sent) => {
    const now = clock();
    const passed = now - then;
    if (before === null || sent < before) {
      [then, before] = [now, sent]; // the start, or a step back to what the server has
    } else if (passed >= SHORTEST) {
      const measured = (sent - before) / passed;
      speed = speed === null ? measured : speed + (1 - Math.exp(-passed / SPAN)) * (measured - speed);
      [then, before] = [now, sent];
    }
    const secondsLeft = speed ? (total - sent) / speed / 1000 : null;
    return { sent, total, bytesPerSecond: 1000 * (speed ?? 0), secondsLeft };
  };
}
