import assert from "node:assert/strict";
import { test } from "node:test";
import { speedMeter } from "../../static/web/speed-meter.js";

/** @param {number} total */
function meterWithClock(total) {
  const clock = { now: 0 };
  return { clock, measure: speedMeter(total, () => clock.now) };
}

test("at first the speed is unknown", () => {
  const { measure } = meterWithClock(1000);
  assert.deepEqual(measure(0), { sent: 0, total: 1000, bytesPerSecond: 0, secondsLeft: null });
});

test("a steady transfer has its speed and the time left", () => {
  const { clock, measure } = meterWithClock(10_000);
  measure(0);
  for (clock.now = 500; clock.now < 4000; clock.now += 500) measure(clock.now);
  const { bytesPerSecond, secondsLeft } = measure(4000);
  assert.equal(bytesPerSecond, 1000);
  assert.equal(secondsLeft, 6);
});

test("measurements closer than 200 ms are left out", () => {
  const { clock, measure } = meterWithClock(10_000);
  measure(0);
  clock.now = 199;
  assert.equal(measure(5000).bytesPerSecond, 0);
  clock.now = 200;
  assert.equal(measure(5000).bytesPerSecond, 25_000);
});

test("a step back to what the server has is no negative speed", () => {
  const { clock, measure } = meterWithClock(10_000);
  measure(0);
  clock.now = 1000;
  measure(4000);
  clock.now = 2000;
  assert.equal(measure(1000).bytesPerSecond, 4000);
  clock.now = 3000;
  assert.equal(Math.round(measure(5000).bytesPerSecond), 4000);
});

test("an old speed counts less and less", () => {
  const { clock, measure } = meterWithClock(1e9);
  measure(0);
  clock.now = 1000;
  measure(1_000_000);
  let sent = 1_000_000;
  /** @type {number[]} */
  const speeds = [];
  for (let second = 2; second <= 30; second++) {
    clock.now = 1000 * second;
    sent += 100_000;
    speeds.push(measure(sent).bytesPerSecond);
  }
  assert.ok(speeds.every((speed, index) => !index || speed < speeds[index - 1]));
  assert.ok(speeds[0] > 800_000);
  assert.ok(Math.abs(speeds[speeds.length - 1] - 100_000) < 5_000);
});

test("when all is sent nothing is left", () => {
  const { clock, measure } = meterWithClock(1000);
  measure(0);
  clock.now = 1000;
  assert.equal(measure(1000).secondsLeft, 0);
});
