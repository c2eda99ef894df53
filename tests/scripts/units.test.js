import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, progressText, size } from "../../static/web/units.js";

test("sizes are megabytes up to a gigabyte, with one digit after the point below ten", () => {
  assert.equal(size(0, "en"), "0 MB");
  assert.equal(size(1_540_000, "en"), "1.5 MB");
  assert.equal(size(12_400_000, "en"), "12 MB");
  assert.equal(size(999_000_000, "en"), "999 MB");
  assert.equal(size(2_500_000_000, "en"), "2.5 GB");
});

test("times are whole seconds, rounded up, or minutes", () => {
  assert.equal(duration(0.2, "en"), "1 sec");
  assert.equal(duration(59, "en"), "59 sec");
  assert.equal(duration(60, "en"), "1 min");
  assert.equal(duration(150, "en"), "3 min");
});

test("the digits are those of the language", () => {
  assert.match(size(1_540_000, "fa"), /^۱٫۵/);
  assert.match(duration(40, "fa"), /^۴۰/);
});

test("the line of an upload leaves out what is not known", () => {
  const progress = { sent: 12_000_000, total: 2_500_000_000, bytesPerSecond: 0, secondsLeft: null };
  const left = "about {time} left";
  assert.equal(progressText(progress, left, "en"), "12 MB / 2.5 GB");
  const known = { ...progress, bytesPerSecond: 3_260_000, secondsLeft: 90 };
  assert.equal(progressText(known, left, "en"), "12 MB / 2.5 GB · 3.3 MB/s · about 2 min left");
});

test("a time without an end is left out", () => {
  const stalled = { sent: 1e6, total: 2e6, bytesPerSecond: 0, secondsLeft: Number.POSITIVE_INFINITY };
  assert.equal(progressText(stalled, "{time}", "en"), "1 MB / 2 MB");
});
