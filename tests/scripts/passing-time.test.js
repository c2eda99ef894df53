import assert from "node:assert/strict";
import { test } from "node:test";
import { showTime } from "../../static/web/passing-time.js";
import { clock } from "../../static/web/units.js";

test("clocks have two digits for seconds and minutes, in the digits of the language", () => {
  assert.equal(clock(0, "en"), "00:00");
  assert.equal(clock(125.9, "en"), "02:05");
  assert.equal(clock(3725, "en"), "1:02:05");
  assert.equal(clock(125, "fa"), "۰۲:۰۵");
});

/** A page with a clock and an estimate. */
function page() {
  const clockPlace = { textContent: "", dataset: {} };
  const left = { textContent: "about 1 min left", dataset: { late: "longer than usual" } };
  const places = { "[data-clock]": [clockPlace], "[data-late]": [left] };
  const root = /** @type {any} */ ({ querySelectorAll: (/** @type {"[data-clock]"} */ name) => places[name] });
  return { root, clockPlace, left };
}

const elapsed = { label: "Transcribe", seconds: 61, clock: "01:01" };

test("the clock of the stage goes on between two messages", () => {
  const { root, clockPlace } = page();
  showTime(root, { left_holds: null, elapsed }, 14.2, "en");
  assert.equal(clockPlace.textContent, "01:15");
});

test("an estimate that has run out is longer than usual", () => {
  const { root, left } = page();
  showTime(root, { left_holds: 75, elapsed }, 74, "en");
  assert.equal(left.textContent, "about 1 min left");
  showTime(root, { left_holds: 75, elapsed }, 75, "en");
  assert.equal(left.textContent, "longer than usual");
});

test("without an estimate nothing runs out", () => {
  const { root, left } = page();
  showTime(root, { left_holds: null }, 10_000, "en");
  assert.equal(left.textContent, "about 1 min left");
});
