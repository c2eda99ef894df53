// Sizes, speeds and times in the language of the page.

/** @import {Progress} from "./speed-meter.js" */

/**
 * The numbers of an upload in one line: sent and total size, speed, time left. What is not known yet is left out.
 * @param {Progress} progress
 * @param {string} left  sentence with `{time}`
 * @param {string} language
 */
export function progressText({ sent, total, bytesPerSecond, secondsLeft }, left, language) {
  const parts = [`${size(sent, language)} / ${size(total, language)}`];
  if (bytesPerSecond) parts.push(format(bytesPerSecond / 1e6, "megabyte-per-second", language));
  if (secondsLeft !== null && Number.isFinite(secondsLeft)) {
    parts.push(left.replace("{time}", duration(secondsLeft, language)));
  }
  return parts.join(" · ");
}

/**
 * @param {number} bytes
 * @param {string} language
 */
export function size(bytes, language) {
  return bytes >= 1e9 ? format(bytes / 1e9, "gigabyte", language) : format(bytes / 1e6, "megabyte", language);
}

/**
 * @param {number} seconds
 * @param {string} language
 */
export function duration(seconds, language) {
  if (seconds < 60) return format(Math.ceil(seconds), "second", language);
  return format(Math.round(seconds / 60), "minute", language);
}

/**
 * @param {number} value
 * @param {string} unit
 * @param {string} language
 */
function format(value, unit, language) {
  const maximumFractionDigits = value < 10 ? 1 : 0;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits,
  }).format(value);
}

/**
 * A time such as 02:05 or 1:02:05.
 * @param {number} seconds
 * @param {string} language
 */
export function clock(seconds, language) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = new Intl.NumberFormat(language, { minimumIntegerDigits: 2 });
  const parts = [two.format(minutes), two.format(rest)];
  if (hours) parts.unshift(new Intl.NumberFormat(language, { useGrouping: false }).format(hours));
  return parts.join(":");
}
