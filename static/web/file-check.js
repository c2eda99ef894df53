// Checks of a chosen file: whether it can still be read, and whether the server has the beginning of this very file.
// Browsers refuse to read a file that was changed, moved or deleted after it was chosen, or whose drive is gone.

import { crc32 } from "./crc32.js";

/** @import {Checksums} from "./messages.js" */

const READ_TIME = 10_000; // ms for one byte

/**
 * Read one byte of a file. `slow`: it has not come within `timeout` milliseconds. A file without bytes is read as a
 * whole: Chrome gives the size 0 also to a file that is gone.
 * @param {Blob} file
 * @param {number} [place]  of the byte; by default the last one
 * @param {number} [timeout]
 * @returns {Promise<"readable" | "unreadable" | "slow">}
 */
export async function readability(file, place = file.size - 1, timeout = READ_TIME) {
  const { size } = file;
  const start = Math.min(Math.max(0, place), size - 1);
  const part = size ? file.slice(start, start + 1) : file;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve("slow"), timeout);
  });
  const read = part
    .arrayBuffer()
    .then(({ byteLength }) => (byteLength === part.size ? "readable" : "unreadable"))
    .catch(() => "unreadable");
  const found = await Promise.race([read, late]);
  clearTimeout(timer);
  return /** @type {"readable" | "unreadable" | "slow"} */ (found);
}

/**
 * Whether `file` is the file of an upload: it has its size, and begins with the bytes that have arrived. Where none has
 * arrived, the name decides. Throws a DOMException where the file cannot be read, and what `ask` throws.
 * @param {File} file
 * @param {{name: string, size: number}} upload
 * @param {(start: number) => Promise<Checksums>} ask  for the checksums from byte `start` on
 */
export async function isFileOf(file, { name, size }, ask) {
  if ((await readability(file)) !== "readable") throw new DOMException("The file cannot be read.", "NotReadableError");
  if (file.size !== size) return false;
  for (let place = 0; ; ) {
    const { received, block, checksums } = await ask(place);
    if (!received) return file.name === name;
    if (!checksums.length) return true;
    for (const expected of checksums) {
      const end = Math.min(place + block, received);
      const bytes = new Uint8Array(await file.slice(place, end).arrayBuffer());
      if (crc32(bytes) !== expected) return false;
      place = end;
    }
  }
}
