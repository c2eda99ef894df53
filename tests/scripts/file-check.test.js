import assert from "node:assert/strict";
import { Blob } from "node:buffer";
import { test } from "node:test";
import { crc32 } from "../../static/web/crc32.js";
import { isFileOf, readability } from "../../static/web/file-check.js";

const BLOCK = 1000;

/**
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function file(name, bytes) {
  return /** @type {File} */ (/** @type {unknown} */ (Object.assign(new Blob([bytes]), { name })));
}

/**
 * A file whose bytes come as `read` says.
 * @param {() => Promise<unknown>} read
 */
function strange(read) {
  const blob = { name: "film.mp4", size: 9, slice: () => ({ size: 1, arrayBuffer: read }) };
  return /** @type {File} */ (/** @type {unknown} */ (blob));
}

/**
 * A server that has these bytes and tells two checksums at a time.
 * @param {Uint8Array} bytes
 */
function server(bytes) {
  return async (/** @type {number} */ start) => {
    const checksums = [];
    for (let place = start; place < bytes.length && checksums.length < 2; place += BLOCK) {
      checksums.push(crc32(bytes.subarray(place, place + BLOCK)));
    }
    return { received: bytes.length, block: BLOCK, checksums };
  };
}

const bytes = new Uint8Array(7777).map((_, place) => place % 251);

test("the checksum is that of zlib", () => {
  const text = new TextEncoder().encode("123456789");
  assert.equal(crc32(text), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});

test("a file is that of an upload if it begins with what has arrived, whatever its name", async () => {
  const upload = { name: "film.mp4", size: bytes.length };
  for (const received of [1, BLOCK, 2 * BLOCK, 5432, bytes.length]) {
    const ask = server(bytes.subarray(0, received));
    assert.ok(await isFileOf(file("renamed.mp4", bytes), upload, ask), String(received));
    for (const place of [0, received - 1]) {
      const changed = bytes.slice();
      changed[place] ^= 1;
      assert.ok(!(await isFileOf(file("film.mp4", changed), upload, ask)), `${received} ${place}`);
    }
  }
});

test("bytes that have not arrived may differ, the size may not", async () => {
  const upload = { name: "film.mp4", size: bytes.length };
  const ask = server(bytes.subarray(0, 5000));
  const later = bytes.slice();
  later[5000] ^= 1;
  assert.ok(await isFileOf(file("film.mp4", later), upload, ask));
  assert.ok(!(await isFileOf(file("film.mp4", bytes.subarray(0, -1)), upload, ask)));
});

test("while nothing has arrived the name decides", async () => {
  const upload = { name: "film.mp4", size: bytes.length };
  const ask = server(new Uint8Array());
  assert.ok(await isFileOf(file("film.mp4", bytes), upload, ask));
  assert.ok(!(await isFileOf(file("other.mp4", bytes), upload, ask)));
});

test("a file that cannot be read is said to be so", async () => {
  const refusing = strange(() => Promise.reject(new DOMException("", "NotFoundError")));
  assert.equal(await readability(refusing), "unreadable");
  assert.equal(await readability(strange(() => Promise.resolve(new ArrayBuffer(0)))), "unreadable");
  assert.equal(
    await readability(
      strange(() => new Promise(() => {})),
      0,
      5,
    ),
    "slow",
  );
  assert.equal(await readability(file("film.mp4", bytes)), "readable");
  assert.equal(await readability(file("film.mp4", bytes), 1e9), "readable");
  assert.equal(await readability(file("empty.mp4", new Uint8Array())), "readable");
  const gone = { name: "film.mp4", size: 0, arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) };
  assert.equal(await readability(/** @type {File} */ (/** @type {unknown} */ (gone))), "unreadable");
  await assert.rejects(isFileOf(refusing, { name: "film.mp4", size: 9 }, server(bytes)), DOMException);
});
