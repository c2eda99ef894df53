// Live updates: the server tells a page by its socket what changes. While the socket does not work, the page polls.

import { JobStore } from "./job-store.js";
import { readCues } from "./rendered-cues.js";
import { page, post } from "./request.js";
import { backoff } from "./retry.js";

/** @import {CueList, Job, JobList, OpenPage, PageMessage, ServerMessage} from "./messages.js" */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const OPENING = 20_000; // ms for a socket to open
const SILENCE = 45_000; // ms: the server says something three times as often; a socket silent for so long is dead
const GRACE = 5_000; // ms without a socket before the page polls
const POLL = 3_000;
const RENEWAL = 15_000; // ms between two renewals of the lease while polling
const REFUSED = 4404; // code of the socket, as in jobs/web/
const SIGNED_OUT = 401;

const main = document.querySelector("main");
let jobId = main?.dataset.job;
const store = new JobStore(jobId);

export const state = store.state;

/** @type {WebSocket | null} */
let socket = null;
const waits = backoff(FIRST_WAIT, LONGEST_WAIT);
let heard = Date.now();
let answered = 0; // by a poll
let lost = Date.now();
let renewed = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
let left = false;
let isNew = false; // the page has a new id that no socket has used yet
let polling = false;

/**
 * Call `listener` with each event of this name, and at once with what is known already.
 * @template {keyof import("./job-store.js").Events} Name
 * @param {Name} name
 * @param {import("./job-store.js").Events[Name]} listener
 */
export function on(name, listener) {
  store.on(name, listener);
}

/**
 * Tell the server something; without a connection nothing is sent.
 * @param {PageMessage} message
 */
export function say(message) {
  if (state.connected) socket?.send(JSON.stringify(message));
}

/**
 * The page is left: end its socket with this code and do nothing any more.
 * @param {number} code
 */
export function leave(code) {
  left = true;
  state.connected = false;
  clearTimeout(retry);
  drop(code);
}

/**
 * From now on the page is that of another job, of which a new socket tells.
 * @param {string} id
 */
export function watch(id) {
  jobId = id;
  store.watch(id);
  disconnected();
  connect();
}

/** Whether the server was heard of lately, so that what the page shows can still be true. */
export function isHeard() {
  return Date.now() - (state.connected ? heard : answered) < SILENCE;
}

/** The page is back from the back/forward cache: it gets a new id. */
export async function comeBack() {
  left = false;
  lost = Date.now();
  await open();
}

// The socket

function connect() {
  clearTimeout(retry);
  if (left || !page.socket) return;
  drop();
  const address = new URL(page.socket, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("language", document.documentElement.lang);
  if (jobId && !state.gone) {
    address.searchParams.set("job", jobId);
    address.searchParams.set("cues", String(store.completeUntil));
  }
  heard = Date.now();
  const mine = new WebSocket(address);
  socket = mine;
  mine.onmessage = ({ data }) => take(JSON.parse(data));
  mine.onclose = ({ code }) => {
    if (mine !== socket) return;
    disconnected();
    if (code === REFUSED) refused();
    else connectLater();
  };
}

/** @param {ServerMessage} message */
function take(message) {
  heard = Date.now();
  if (message.type === "hello") {
    state.connected = true;
    waits.reset();
    isNew = false;
  }
  store.take(message);
}

/** @param {number} [code] */
function drop(code) {
  const old = socket;
  socket = null;
  if (!old) return;
  old.onmessage = null;
  old.onclose = null;
  old.close(code);
}

function disconnected() {
  if (state.connected) lost = Date.now();
  state.connected = false;
}

function connectLater() {
  clearTimeout(retry);
  retry = setTimeout(connect, waits.next() * (0.5 + Math.random() / 2));
}

/** The lease of the page has ended or its job was deleted. If a new page is refused, the job was deleted. */
async function refused() {
  if (!isNew) await open();
  else if (jobId && !state.gone) {
    store.setGone(jobId);
    connect();
  }
}

/** Get a new id and connect. Who is signed out stays without; a server in trouble is asked again. */
async function open() {
  try {
    const response = await post(page.pages ?? "");
    if (response.status === SIGNED_OUT) return;
    if (!response.ok) throw new Error(String(response.status));
    adopt(await response.json());
    isNew = true;
    connect();
  } catch {
    connectLater();
  }
}

/** @param {OpenPage} opened */
function adopt(opened) {
  page.pageId = opened.page_id;
  page.socket = opened.socket;
  store.setUnfinished(opened.unfinished);
}

// Polling

async function poll() {
  if (left || polling) return;
  const now = Date.now();
  if (socket && now - heard > (state.connected ? SILENCE : OPENING)) {
    disconnected();
    connect();
  }
  if (state.connected || now - lost < GRACE) return;
  polling = true;
  try {
    if (now - renewed > RENEWAL) await renew();
    if (jobId && !state.gone) await pollJob(jobId);
    else if (main?.hasAttribute("data-jobs")) await pollJobs();
  } catch {
    // No network: the next poll will come.
  } finally {
    polling = false;
  }
}

/** Renew the lease of the page, as its socket does otherwise. */
async function renew() {
  const response = await post(page.pages ?? "", { page_id: page.pageId ?? "" });
  if (response.ok && !left) adopt(await response.json());
  renewed = Date.now();
}

/** @param {string} id */
async function pollJob(id) {
  const response = await fetch(`/api/jobs/${id}`, { headers: { Accept: "application/json" } });
  if (response.status === 404) {
    store.setGone(id);
    return;
  }
  if (!response.ok) return;
  answered = Date.now();
  const job = /** @type {Job} */ (await response.json());
  const known = store.version;
  store.setJob(job);
  if (!main?.hasAttribute("data-others")) store.setWarning(job);
  if (job.version > known || !state.cues.size) await pollCues(id);
}

/** @param {string} id */
async function pollCues(id) {
  const response = await fetch(`/api/jobs/${id}/cues?after=${store.completeUntil}`);
  if (response.ok) store.addCues(/** @type {CueList} */ (await response.json()).cues);
}

async function pollJobs() {
  const response = await fetch(`/api/jobs${location.search}`);
  if (!response.ok) return;
  answered = Date.now();
  for (const row of /** @type {JobList} */ (await response.json()).jobs) {
    store.setWarning(row);
    store.setRow(row);
  }
}

window.addEventListener("online", () => {
  waits.reset();
  if (!state.connected) connect();
});
setInterval(poll, POLL);
store.addCues(readCues(document));
connect();
