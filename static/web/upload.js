// Resumable uploads with tus-js-client, which the page loads as a script before this. Sentences come from the server.

import { readability } from "./file-check.js";
import { csrfToken } from "./request.js";
import { backoff, isFinal } from "./retry.js";
import { speedMeter } from "./speed-meter.js";

/** @import {DetailedError, HttpResponse, Upload} from "tus-js-client" */
/** @import {Problem} from "./messages.js" */
/** @import {Progress} from "./speed-meter.js" */

const CHUNK = 8 * 1024 * 1024; // bytes
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
const SILENCE = 30_000; // ms: a request without progress for so long is taken for lost
const REPORT = 250; // ms between two reports of progress
const CHECK = 10_000; // ms between two checks whether the file can be read: a slow piece would hide it for minutes
const RECHECK = 5_000; // ms between two checks of a file that cannot be read: its drive may come back

/**
 * @typedef {object} UploadOptions
 * @property {string} url
 * @property {(progress: Progress) => void} [onProgress]  at most four times a second
 * @property {(wait: {sentence: string, milliseconds: number}) => void} [onWaiting]  interrupted; resumes after that time
 * @property {() => void} [onAccepted]  the server has more of the file than before
 * @property {(readable: boolean) => void} [onReadable]  whether the file can be read; false: nothing is sent until it can
 * @property {(problem: {status: number, sentence: string}) => void} [onProblem]  refused; the upload is over
 * @property {() => void} [onDone]  the server has the whole file
 */

/**
 * Upload `file` from where the server has it, and resume by itself after the network or the server was away.
 * `abort` only stops: what has arrived is deleted by cancelling the job.
 * @param {File} file
 * @param {UploadOptions} options
 */
export function upload(file, { url, onProgress, onAccepted, onDone, onProblem, onReadable, onWaiting }) {
  const measure = speedMeter(file.size);
  const waits = backoff(FIRST_WAIT, LONGEST_WAIT);
  /** @type {"going" | "paused" | "waiting" | "checking" | "unreadable" | "over"} */
  let state = "going";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let reported = 0;
  let accepted = 0;
  let asked = false;

  const { tus } = /** @type {{tus: {Upload: typeof Upload}}} */ (/** @type {unknown} */ (globalThis));
  const sending = new tus.Upload(file, {
    uploadUrl: url,
    chunkSize: CHUNK,
    parallelUploads: 1,
    retryDelays: null, // ours never end
    storeFingerprintForResuming: false,
    onBeforeRequest(request) {
      if (state !== "going") throw new Error(state); // `abort` does not reach a request that is about to start
      request.setHeader("X-CSRFToken", csrfToken());
      asked = true;
    },
    onAfterResponse(_, response) {
      const offset = Number(response.getHeader("Upload-Offset"));
      if (!(offset > accepted)) return;
      accepted = offset;
      waits.reset();
      onAccepted?.();
    },
    onProgress(sent) {
      watch();
      const progress = measure(sent);
      const now = performance.now();
      if (now - reported >= REPORT || sent === file.size) {
        reported = now;
        onProgress?.(progress);
      }
    },
    onSuccess() {
      end();
      onDone?.();
    },
    onError: fail,
  });

  /** @param {Error | DetailedError} error */
  async function fail(error) {
    const response = "originalResponse" in error ? error.originalResponse : null;
    const status = response?.getStatus() ?? 0;
    if (!isFinal(status)) {
      if (response) wait(sentenceIn(response));
      else await interrupted();
      return;
    }
    end();
    onProblem?.({ status, sentence: sentenceIn(response) || (await sentenceAt(url)) });
  }

  /** There was no response: browsers report a file that cannot be read like a network that is away. */
  async function interrupted() {
    if (state !== "going") return;
    state = "checking";
    clearTimeout(timer);
    const found = await readability(file, accepted);
    if (state !== "checking") return;
    state = "going";
    if (found === "readable") wait("");
    else giveUpReading();
  }

  async function checkFile() {
    if (state !== "going" || (await readability(file, accepted)) !== "unreadable" || state !== "going") return;
    sending.abort();
    giveUpReading();
  }

  function giveUpReading() {
    state = "unreadable";
    onReadable?.(false);
    setTimer(readAgain, RECHECK);
  }

  async function readAgain() {
    const found = await readability(file, accepted);
    if (state !== "unreadable") return;
    if (found !== "readable") {
      setTimer(readAgain, RECHECK);
      return;
    }
    onReadable?.(true);
    start();
  }

  /** @param {string} sentence */
  function wait(sentence) {
    if (state !== "going") return;
    state = "waiting";
    const milliseconds = waits.next();
    setTimer(start, milliseconds);
    onWaiting?.({ sentence, milliseconds });
  }

  function start() {
    state = "going";
    asked = false;
    watch();
    sending.start();
  }

  function watch() {
    setTimer(() => {
      sending.abort();
      interrupted();
    }, SILENCE);
  }

  /**
   * @param {() => void} action
   * @param {number} milliseconds
   */
  function setTimer(action, milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  }

  function end() {
    state = "over";
    clearTimeout(timer);
    clearInterval(checks);
    removeEventListener("online", onOnline);
  }

  // The network is back. A request that was sent before hangs.
  function onOnline() {
    if (state === "going" && asked) sending.abort();
    else if (state !== "waiting") return;
    start();
  }

  addEventListener("online", onOnline);
  const checks = setInterval(checkFile, CHECK);
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

/** @param {HttpResponse | null | undefined} response */
function sentenceIn(response) {
  try {
    const problem = /** @type {Partial<Problem>} */ (JSON.parse(response?.getBody() ?? ""));
    return problem.detail ?? "";
  } catch {
    return "";
  }
}

/**
 * The response to HEAD has no body, so the sentence is asked for by GET.
 * @param {string} url
 */
async function sentenceAt(url) {
  try {
    const response = await fetch(url, { headers: { "Tus-Resumable": "1.0.0" } });
    const problem = /** @type {Partial<Problem>} */ (await response.json());
    return problem.detail ?? "";
  } catch {
    return "";
  }
}
