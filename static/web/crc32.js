// CRC-32 (the polynomial of zlib and PNG): tells accidental differences apart, also on pages without HTTPS, where the
// browser offers no SHA-256.

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * The CRC-32 of bytes, as an unsigned number.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let value = -1;
  for (let place = 0; place < bytes.length; place++) value = (value >>> 8) ^ TABLE[(value ^ bytes[place]) & 0xff];
  return ~value >>> 0;
}
