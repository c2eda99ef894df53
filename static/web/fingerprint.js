// A fingerprint of a file, by which the same file is recognised when it is chosen again.

const EDGE = 64 * 1024; // bytes

/**
 * Hex of SHA-256 over the name, the size, the first and the last 64 KiB. Where the page is not served over HTTPS there
 * is no SHA-256: then hex of the name, the size and the time of the last change.
 * @param {File} file
 */
export async function fingerprint(file) {
  const facts = `${file.name}\0${file.size}\0`;
  const encoder = new TextEncoder();
  if (!globalThis.crypto?.subtle) return hex(encoder.encode(facts + file.lastModified));
  const edges = [file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE))];
  const bytes = await new Blob([encoder.encode(facts), ...edges]).arrayBuffer();
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
