import assert from "node:assert/strict";
import { Blob } from "node:buffer";
import { createHash, webcrypto } from "node:crypto";
import { beforeEach, test } from "node:test";
import { fingerprint } from "../../static/web/fingerprint.js";

const KIB = 1024;

/**
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function file(name, bytes, lastModified = 0) {
  return /** @type {File} */ (/** @type {unknown} */ (Object.assign(new Blob([bytes]), { name, lastModified })));
}

/** @param {unknown} crypto */
function setCrypto(crypto) {
  Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true, writable: true });
}

beforeEach(() => setCrypto(webcrypto)); // Node 18 has no global one

test("it is SHA-256 over the name, the size and both ends", async () => {
  const bytes = new Uint8Array(300 * KIB).map((_, index) => index % 251);
  const hash = createHash("sha256").update(`film.mp4\0${bytes.length}\0`);
  hash.update(bytes.subarray(0, 64 * KIB)).update(bytes.subarray(-64 * KIB));
  assert.equal(await fingerprint(file("film.mp4", bytes)), hash.digest("hex"));
});

test("it differs with the name, the size and each end", async () => {
  const bytes = new Uint8Array(200 * KIB);
  const first = bytes.slice().fill(1, 0, 1);
  const last = bytes.slice().fill(1, -1);
  const files = [
    file("film.mp4", bytes),
    file("other.mp4", bytes),
    file("film.mp4", bytes.subarray(1)),
    file("film.mp4", first),
    file("film.mp4", last),
  ];
  assert.equal(new Set(await Promise.all(files.map(fingerprint))).size, files.length);
});

test("an empty file has one", async () => {
  assert.match(await fingerprint(file("empty.mp4", new Uint8Array())), /^[0-9a-f]{64}$/);
});

test("without HTTPS it is made of the name, the size and the time of the last change", async () => {
  setCrypto({});
  const bytes = new Uint8Array(3);
  const found = await fingerprint(file("فیلم.mp4", bytes, 17));
  assert.deepEqual(Buffer.from(found, "hex").toString("utf-8").split("\0"), ["فیلم.mp4", "3", "17"]);
  assert.notEqual(await fingerprint(file("فیلم.mp4", bytes, 18)), found);
});
