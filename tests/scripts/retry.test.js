import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, isFinal } from "../../static/web/retry.js";

test("waits double up to the longest, and start again after a reset", () => {
  const waits = backoff(500, 3000);
  assert.deepEqual(
    [waits.next(), waits.next(), waits.next(), waits.next(), waits.next()],
    [500, 1000, 2000, 3000, 3000],
  );
  waits.reset();
  assert.equal(waits.next(), 500);
});

test("a refusal ends an upload; a server in trouble, a missing response and a conflict do not", () => {
  assert.deepEqual([400, 403, 404, 410, 413, 415].filter(isFinal), [400, 403, 404, 410, 413, 415]);
  assert.deepEqual([0, 204, 408, 409, 423, 429, 500, 502, 503, 507].filter(isFinal), []);
});
