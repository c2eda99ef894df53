import assert from "node:assert/strict";
import { test } from "node:test";
import { valueAt } from "../../static/web/data-binding.js";

test("a path leads to a value", () => {
  assert.equal(valueAt({ title: "talk.mp4" }, "title"), "talk.mp4");
  assert.equal(valueAt({ can: { cancel: false } }, "can.cancel"), false);
  assert.equal(valueAt({ percent: 0 }, "percent"), 0);
});

test("a missing value is an empty text", () => {
  assert.equal(valueAt({}, "title"), "");
  assert.equal(valueAt({ video: null }, "video.url"), "");
  assert.equal(valueAt({}, "can.cancel.at.all"), "");
});
