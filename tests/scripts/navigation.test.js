import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnSite, navigationClock, opensHere } from "../../static/web/navigation.js";

const CLICK = { button: 0, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
const LINK = { target: "", download: false };

test("a page that is left without a navigation is closed", () => {
  const clock = navigationClock(() => 0);
  assert.deepEqual([clock.isStarting(), clock.isUnderWay()], [false, false]);
});

test("a navigation starts within a second and is answered within a minute", () => {
  let now = 5_000;
  const clock = navigationClock(() => now);
  clock.start();
  now += 1_000;
  assert.deepEqual([clock.isStarting(), clock.isUnderWay()], [true, true]);
  now += 1;
  assert.deepEqual([clock.isStarting(), clock.isUnderWay()], [false, true]);
  now += 58_999;
  assert.equal(clock.isUnderWay(), true);
  now += 1;
  assert.equal(clock.isUnderWay(), false);
});

test("after a reset there is no navigation", () => {
  const clock = navigationClock(() => 5_000);
  clock.start();
  clock.reset();
  assert.deepEqual([clock.isStarting(), clock.isUnderWay()], [false, false]);
});

test("a plain click on a plain link opens it here", () => {
  assert.equal(opensHere(CLICK, LINK), true);
  assert.equal(opensHere(CLICK, { ...LINK, target: "_self" }), true);
});

test("other clicks, other targets and downloads do not", () => {
  const clicks = [{ button: 1 }, { ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { altKey: true }];
  for (const one of clicks) assert.equal(opensHere({ ...CLICK, ...one }, LINK), false);
  assert.equal(opensHere(CLICK, { ...LINK, target: "_blank" }), false);
  assert.equal(opensHere(CLICK, { ...LINK, download: true }), false);
});

test("an address is on the site if scheme, host and port are the same", () => {
  const page = "https://example.org:8443/jobs/1/";
  for (const address of ["", "/jobs/", "../2/", "?show=failed", "#delete", "https://example.org:8443/x"]) {
    assert.equal(isOnSite(address, page), true, address);
  }
  for (const address of [
    "https://example.org/",
    "http://example.org:8443/",
    "//example.com/",
    "mailto:a@example.org",
  ]) {
    assert.equal(isOnSite(address, page), false, address);
  }
});
