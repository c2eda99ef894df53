import assert from "node:assert/strict";
import { test } from "node:test";
import { byStart, cueAt } from "../../static/web/cue-index.js";
import { cue } from "./samples.js";

const cues = byStart([cue(2, 3, 5), cue(1, 0, 2), cue(3, 4, 9)]);

test("cues are ordered by their start", () => {
  assert.deepEqual(
    cues.map(({ number }) => number),
    [1, 2, 3],
  );
});

test("a cue is current from its start until before its end", () => {
  assert.equal(cueAt(cues, 0)?.number, 1);
  assert.equal(cueAt(cues, 1.99)?.number, 1);
  assert.equal(cueAt(cues, 2), undefined);
  assert.equal(cueAt(cues, 9), undefined);
});

test("between cues, before the first and without any there is none", () => {
  assert.equal(cueAt(cues, 2.5), undefined);
  assert.equal(cueAt(cues, -1), undefined);
  assert.equal(cueAt([], 1), undefined);
});

test("of overlapping cues the one that started last is current", () => {
  assert.equal(cueAt(cues, 3.5)?.number, 2);
  assert.equal(cueAt(cues, 4.5)?.number, 3);
});

test("each of many cues is found", () => {
  const many = byStart(Array.from({ length: 1001 }, (_, number) => cue(number, 2 * number, 2 * number + 1)));
  for (const { number, start } of many) {
    assert.equal(cueAt(many, start + 0.5)?.number, number);
    assert.equal(cueAt(many, start + 1.5), undefined);
  }
});
