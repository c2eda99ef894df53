// Uploads that go on: over tus-js-client, which the import map calls "vendor/tus" and which leaves itself in `tus`.
// Sentences come from the server; there is no word here that anybody reads.
import "vendor/tus";

import { token } from "web/dom";

const CHUNK = 8 * 1024 * 1024;
const LONGEST_WAIT = 15_000;
// A request without any progress for so long hangs in a network that is gone.
const SILENCE = 30_000;
// What may pass although it is the client's fault by number: another place, another one at it, too slow, too many.
const PASSING = new Set([408, 409, 423, 429]);
const EDGE = 64 * 1024;

/**
 * Bring `file` to the upload at `url`, from where that is. It goes on by itself when the network or the server was away.
 *
 * onProgress({sent, total, bytesPerSecond, secondsLeft}): at most four times a second; secondsLeft is null at first.
 * onWaiting({sentence, milliseconds}): it broke off, and is tried again after that time; the sentence may be empty.
 * onAccepted(): the server has more of it than before.
 * onProblem({status, sentence}): the server refuses, and it is over. onDone(): all of it is there.
 *
 * Returns {pause(), resume(), abort()}. `abort` only stops: who cancels the job deletes what came.
 */
export function upload(file, { url, onProgress, onAccepted, onDone, onProblem, onWaiting }) {
  const meter = speedometer(file.size);
  let state = "going"; // or paused, waiting, over
  let failures = 0;
  let timer = 0;
  let last = 0;
  let accepted = 0;
  let asked = false;

  const sending = new globalThis.tus.Upload(file, {
    uploadUrl: url,
    chunkSize: CHUNK,
    parallelUploads: 1,
    retryDelays: null, // ours have no end
    storeFingerprintForResuming: false,
    onBeforeRequest(request) {
      if (state !== "going") throw new Error(state); // `abort` does not reach what is about to begin
      request.setHeader("X-CSRFToken", token());
      asked = true;
    },
    onAfterResponse(_, response) {
      const offset = Number(response.getHeader("Upload-Offset"));
      if (!(offset > accepted)) return;
      accepted = offset;
      failures = 0;
      onAccepted?.();
    },
    onProgress(sent) {
      watch();
      const seen = meter(sent);
      if (seen.at - last >= 250 || sent === file.size) {
        last = seen.at;
        onProgress?.(seen.told);
      }
    },
    onSuccess() {
      end();
      onDone?.();
    },
    onError: failed,
  });

  async function failed(error) {
    const response = error.originalResponse;
    const status = response?.getStatus() ?? 0;
    const refused = status >= 400 && status < 500 && !PASSING.has(status);
    if (refused) end();
    else wait(sentenceIn(response));
    if (refused) onProblem?.({ status, sentence: sentenceIn(response) || (await sentenceAt(url)) });
  }

  function wait(sentence) {
    if (state !== "going") return;
    state = "waiting";
    const milliseconds = Math.min(1000 * 2 ** failures++, LONGEST_WAIT);
    set(start, milliseconds);
    onWaiting?.({ sentence, milliseconds });
  }

  function start() {
    state = "going";
    asked = false;
    watch();
    sending.start();
  }

  function watch() {
    set(() => {
      sending.abort();
      wait("");
    }, SILENCE);
  }

  function set(what, milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(what, milliseconds);
  }

  function end() {
    state = "over";
    clearTimeout(timer);
    removeEventListener("online", online);
  }

  // The network is back: what was asked before hangs.
  function online() {
    if (state === "going" && asked) sending.abort();
    else if (state !== "waiting") return;
    start();
  }

  addEventListener("online", online);
  start();
  return {
    pause() {
      if (state === "over") return;
      state = "paused";
      clearTimeout(timer);
      sending.abort();
    },
    resume() {
      if (state === "paused") start();
    },
    abort() {
      end();
      sending.abort();
    },
  };
}

/** Says of a file whether it is the same as one chosen before: hex, of its name, its size, its beginning and its end. */
export async function fingerprint(file) {
  const facts = new TextEncoder().encode(`${file.name}\0${file.size}\0`);
  if (!globalThis.crypto?.subtle) {
    return hex(new TextEncoder().encode(`${file.name}\0${file.size}\0${file.lastModified}`));
  }
  const edges = [file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE))];
  const bytes = await new Blob([facts, ...edges]).arrayBuffer();
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The mean speed of the last seconds, old ones counting less and less.
function speedometer(total) {
  const SPAN = 5000;
  let then = performance.now();
  let before = null;
  let speed = null; // bytes a millisecond
  return (sent) => {
    const at = performance.now();
    const passed = at - then;
    if (before === null || sent < before) {
      [then, before] = [at, sent]; // it begins, or goes on from a place before
    } else if (passed >= 200) {
      const now = (sent - before) / passed;
      speed = speed === null ? now : speed + (1 - Math.exp(-passed / SPAN)) * (now - speed);
      [then, before] = [at, sent];
    }
    const secondsLeft = speed ? (total - sent) / speed / 1000 : null;
    return { at, told: { sent, total, bytesPerSecond: 1000 * (speed ?? 0), secondsLeft } };
  };
}

function sentenceIn(response) {
  try {
    return JSON.parse(response.getBody()).detail ?? "";
  } catch {
    return "";
  }
}

// An answer to HEAD has no body.
async function sentenceAt(url) {
  try {
    const response = await fetch(url, { headers: { "Tus-Resumable": "1.0.0" } });
    return (await response.json()).detail ?? "";
  } catch {
    return "";
  }
}
