// node large.js <file> <address> <cookie> <token>: uploads the file in pieces of 8 MiB.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [, , path, uploadUrl, Cookie, token] = process.argv;

new Upload(createReadStream(path), {
  uploadUrl,
  uploadSize: statSync(path).size,
  chunkSize: 8 * 1024 * 1024,
  retryDelays: null,
  headers: { Cookie, "X-CSRFToken": token },
  onSuccess: () => process.exit(0),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
}).start();
