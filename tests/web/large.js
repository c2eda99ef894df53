// node large.js <where tus-js-client is> <file> <address> <cookie> <token>: uploads the file in pieces of 8 MiB.
const [, , library, path, uploadUrl, Cookie, token] = process.argv;
const fs = require("node:fs");
const tus = require(library);

new tus.Upload(fs.createReadStream(path), {
  uploadUrl,
  uploadSize: fs.statSync(path).size,
  chunkSize: 8 * 1024 * 1024,
  retryDelays: null,
  headers: { Cookie, "X-CSRFToken": token },
  onSuccess: () => process.exit(0),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
}).start();
