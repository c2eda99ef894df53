import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { JobStore } from "../../static/web/job-store.js";
import { cue, job, row } from "./samples.js";

/** @type {JobStore} */
let store;
/** @type {unknown[]} */
let heard;

beforeEach(() => {
  store = new JobStore("a");
  heard = [];
});

/** @param {...keyof import("../../static/web/job-store.js").Events} names */
function listen(...names) {
  for (const name of names) {
    store.on(name, (/** @type {unknown[]} */ ...news) => {
      heard.push([name, ...news]);
    });
  }
}

test("hello brings the whole state", () => {
  listen("job", "cues", "hello");
  const [news, cues] = [job("a", 3), [cue(1, 0, 1)]];
  store.take({ type: "hello", unfinished: ["a"], job: news, cues, all: true });
  assert.deepEqual(heard, [["job", news], ["cues", cues, true], ["hello"]]);
  assert.equal(store.state.job, news);
  assert.deepEqual(store.state.unfinished, ["a"]);
  assert.equal(store.version, 3);
});

test("hello adds the cues that are missing to those that the page has", () => {
  store.addCues([cue(1, 0, 1, { answered: true }), cue(2, 1, 2)]);
  listen("cues");
  heard = [];
  const missing = [cue(2, 1, 2, { answered: true }), cue(3, 2, 3)];
  store.take({ type: "hello", unfinished: [], job: job("a", 1), cues: missing, all: false });
  assert.deepEqual([...store.state.cues.keys()], [1, 2, 3]);
  assert.deepEqual(heard, [["cues", missing, false]]);
  store.take({ type: "hello", unfinished: [], job: job("a", 1), cues: [], all: true });
  assert.equal(store.state.cues.size, 0);
});

test("who listens late hears at once what is known", () => {
  const [news, first] = [job("a", 3), cue(1, 0, 1)];
  store.take({ type: "hello", unfinished: ["a"], job: news, cues: [first], all: true });
  listen("job", "cues", "unfinished", "gone", "brief");
  assert.deepEqual(heard, [
    ["job", news],
    ["cues", [first], true],
    ["unfinished", ["a"]],
  ]);
});

test("a version that is older than the known one is dropped", () => {
  listen("job");
  const [second, third, again] = [job("a", 2), job("a", 3), job("a", 3)];
  store.take({ type: "job", job: third });
  store.take({ type: "job", job: second });
  store.take({ type: "job", job: again });
  assert.deepEqual(heard, [
    ["job", third],
    ["job", again],
  ]);
  assert.equal(store.state.job, again);
});

test("versions are counted for each job by itself, and for rows apart from the page's job", () => {
  listen("job", "brief");
  store.take({ type: "job", job: job("a", 9) });
  store.take({ type: "brief", job: row("a", 5), unfinished: [] });
  store.take({ type: "brief", job: row("b", 1), unfinished: [] });
  store.take({ type: "brief", job: row("b", 0), unfinished: [] });
  assert.deepEqual(
    heard.map((news) => /** @type {any} */ (news)[1].version),
    [9, 5, 1],
  );
});

test("somebody else's job says nothing about what is unfinished", () => {
  store.take({ type: "hello", unfinished: ["mine"], job: job("a", 1), cues: [], all: true });
  store.take({ type: "job", job: job("a", 2) });
  assert.deepEqual(store.state.unfinished, ["mine"]);
  store.take({ type: "job", job: job("a", 3), unfinished: [] });
  assert.deepEqual(store.state.unfinished, []);
});

test("cues are added and changed by their number", () => {
  listen("cues");
  const [first, translated, second] = [cue(1, 0, 1), cue(1, 0, 1, { target: "سلام", answered: true }), cue(2, 1, 2)];
  store.take({ type: "cues", cues: [first] });
  store.take({ type: "cues", cues: [translated, second] });
  assert.deepEqual([...store.state.cues.values()], [translated, second]);
  assert.deepEqual(heard, [
    ["cues", [first], false],
    ["cues", [translated, second], false],
  ]);
});

test("`all` replaces the cues, also by none; no cues are no news", () => {
  store.take({ type: "cues", cues: [cue(1, 0, 1)] });
  listen("cues");
  heard = [];
  store.take({ type: "cues", cues: [] });
  assert.deepEqual(heard, []);
  store.take({ type: "cues", cues: [], all: true });
  assert.deepEqual(heard, [["cues", [], true]]);
  assert.equal(store.state.cues.size, 0);
});

test("polling asks after the last cue before the first one that is not translated", () => {
  assert.equal(store.completeUntil, 0);
  store.addCues([cue(1, 0, 1, { answered: true }), cue(2, 1, 2, { answered: true })]);
  assert.equal(store.completeUntil, 2);
  store.addCues([cue(3, 2, 3), cue(4, 3, 4, { answered: true }), cue(5, 4, 5)]);
  assert.equal(store.completeUntil, 2);
});

test("a deleted job is no longer unfinished", () => {
  store.take({ type: "hello", unfinished: ["a", "b"], job: job("a", 1), cues: [], all: true });
  listen("gone", "unfinished");
  heard = [];
  store.take({ type: "gone", id: "a" });
  assert.equal(store.state.gone, true);
  assert.deepEqual(heard, [
    ["unfinished", ["b"]],
    ["gone", "a"],
  ]);
  listen("gone");
  assert.deepEqual(heard.at(-1), ["gone", "a"]);
});

test("hello without the page's job means that it was deleted, and says so once", () => {
  listen("gone");
  store.take({ type: "hello", unfinished: [], job: null, cues: [], all: true });
  store.take({ type: "hello", unfinished: [], job: null, cues: [], all: true });
  assert.deepEqual(heard, [["gone", "a"]]);
});

test("a page without a job misses none", () => {
  store = new JobStore(undefined);
  listen("gone", "hello");
  store.take({ type: "hello", unfinished: ["b"], job: null, cues: [], all: true });
  assert.deepEqual(heard, [["hello"]]);
});

test("without a socket the jobs themselves tell what is unfinished", () => {
  listen("unfinished");
  heard = [];
  store.setWarning(row("b", 1, { warn: true }));
  store.setWarning(row("b", 1, { warn: true }));
  store.setWarning(row("c", 1, { warn: true }));
  store.setWarning(row("b", 2, { warn: false }));
  assert.deepEqual(heard, [
    ["unfinished", ["b"]],
    ["unfinished", ["b", "c"]],
    ["unfinished", ["c"]],
  ]);
});

test("a page that watches another job forgets the one before, whose version may be higher", () => {
  store.take({ type: "hello", unfinished: ["a"], job: job("a", 9), cues: [cue(1, 0, 1)], all: true });
  store.watch("b");
  assert.equal(store.state.job, null);
  assert.equal(store.version, 0);
  assert.equal(store.completeUntil, 0);
  listen("job", "gone");
  store.take({ type: "hello", unfinished: ["b"], job: job("b", 1), cues: [], all: true });
  assert.deepEqual(heard, [["job", job("b", 1)]]);
  store.take({ type: "hello", unfinished: [], job: null, cues: [], all: true });
  assert.deepEqual(heard[1], ["gone", "b"]);
});
