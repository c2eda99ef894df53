// What changes of jobs, told to the page by its socket. While that is of no use the page asks again and again.
//
// on("job" | "cues" | "brief" | "gone" | "unfinished", f): f is called with each news, and at once with what is known.

import { here, post } from "web/dom";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const OPENING = 20_000; // for so long a socket may take to open
const SILENCE = 45_000; // after so long without a word, three of which the server owes us, a socket is dead
const PATIENCE = 5_000; // so long the page goes without a socket before it asks
const ASK = 3_000;
const PRESENT = 15_000;
const REFUSED = 4404;
const SIGNED_OUT = 401;

const main = document.querySelector("main");
const jobId = main?.dataset.job;
const listeners = new Map();

/** What is known: `cues` by number, `unfinished` the ids of the jobs that end when the person leaves. */
export const state = { job: null, cues: new Map(), unfinished: [], connected: false, gone: false };

let socket = null;
let wait = FIRST_WAIT;
let heard = Date.now();
let lost = Date.now();
let present = 0;
let retry = 0;
let left = false;
let renewed = false; // the page has just got a new id
let asking = false;
const versions = new Map();

export function on(kind, listener) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
  if (kind === "job" && state.job) listener(state.job);
  if (kind === "cues" && state.cues.size) listener([...state.cues.values()], true);
  if (kind === "unfinished") listener(state.unfinished);
  if (kind === "gone" && state.gone) listener(jobId);
}

/** Tell the server something, if it can be told now. */
export function say(message) {
  if (state.connected) socket.send(JSON.stringify(message));
}

/** The page is left: its socket ends with this code, and it does nothing any more. */
export function leave(code) {
  left = true;
  state.connected = false;
  clearTimeout(retry);
  drop(code);
}

/** The page is back from the back/forward cache: it begins as a new one. */
export async function comeBack() {
  left = false;
  lost = Date.now();
  await begin();
}

function emit(kind, ...news) {
  for (const listener of listeners.get(kind) ?? []) listener(...news);
}

// The socket

function connect() {
  clearTimeout(retry);
  if (left || !here.socket) return;
  drop();
  const address = new URL(here.socket, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("language", document.documentElement.lang);
  if (jobId && !state.gone) address.searchParams.set("job", jobId);
  heard = Date.now();
  const mine = (socket = new WebSocket(address));
  mine.onmessage = ({ data }) => {
    heard = Date.now();
    take(JSON.parse(data));
  };
  mine.onclose = ({ code }) => {
    if (mine !== socket) return;
    down();
    if (code === REFUSED) refused();
    else later();
  };
}

function drop(code) {
  const old = socket;
  socket = null;
  if (!old) return;
  old.onmessage = old.onclose = null;
  code ? old.close(code) : old.close();
}

function down() {
  if (state.connected) lost = Date.now();
  state.connected = false;
}

function later() {
  clearTimeout(retry);
  retry = setTimeout(connect, wait * (0.5 + Math.random() / 2));
  wait = Math.min(LONGEST_WAIT, 2 * wait);
}

/** Its lease is over or its job is gone. A page that is refused although it is new has no job any more. */
async function refused() {
  if (!renewed) await begin();
  else if (jobId && !state.gone) {
    gone(jobId);
    connect();
  }
}

/** With a new id. Somebody who was signed out stays where they are; a server that is in trouble is asked again. */
async function begin() {
  try {
    const answer = await post(here.pages);
    if (answer.status === SIGNED_OUT) return;
    if (!answer.ok) throw new Error(answer.status);
    adopt(await answer.json());
    renewed = true;
    connect();
  } catch {
    later();
  }
}

function adopt(page) {
  here.pageId = page.page_id;
  here.socket = page.socket;
  unfinished(page.unfinished);
}

// What is said

function take(message) {
  if (message.type === "hello") hello(message);
  else if (message.type === "job") {
    if (message.unfinished) unfinished(message.unfinished);
    job(message.job);
  }
  else if (message.type === "cues") cues(message.cues, message.all);
  else if (message.type === "brief") {
    unfinished(message.unfinished);
    brief(message.job);
  } else if (message.type === "gone") gone(message.id);
}

function hello(message) {
  state.connected = true;
  wait = FIRST_WAIT;
  renewed = false;
  unfinished(message.unfinished);
  if (message.job) {
    job(message.job);
    cues(message.cues, true);
  } else if (jobId && !state.gone) gone(jobId);
  emit("hello");
}

/** What is older than what the page shows is left out. */
function isNews(kind, { id, version }) {
  const known = versions.get(kind + id) ?? 0;
  versions.set(kind + id, Math.max(known, version));
  return version >= known;
}

function job(news) {
  if (!isNews("job", news)) return;
  state.job = news;
  emit("job", news);
}

function brief(news) {
  if (isNews("brief", news)) emit("brief", news);
}

function cues(news, all = false) {
  if (all) state.cues.clear();
  for (const cue of news) state.cues.set(cue.number, cue);
  if (all || news.length) emit("cues", news, all);
}

function unfinished(ids) {
  state.unfinished = ids;
  emit("unfinished", ids);
}

function gone(id) {
  state.unfinished = state.unfinished.filter((one) => one !== id);
  emit("unfinished", state.unfinished);
  state.gone = id === jobId;
  emit("gone", id);
}

// Without a socket

async function ask() {
  if (left || asking) return;
  const now = Date.now();
  if (socket && now - heard > (state.connected ? SILENCE : OPENING)) {
    down();
    connect();
  }
  if (state.connected || now - lost < PATIENCE) return;
  asking = true;
  try {
    if (now - present > PRESENT) await stay();
    if (jobId && !state.gone) await askForJob();
    else if (main?.hasAttribute("data-jobs")) await askForJobs();
  } catch {
    // The network is away: the next time will come.
  } finally {
    asking = false;
  }
}

/** What the socket does otherwise: keep the person present. */
async function stay() {
  const answer = await post(here.pages, { page_id: here.pageId });
  if (answer.ok && !left) adopt(await answer.json());
  present = Date.now();
}

async function askForJob() {
  const answer = await fetch(`/api/jobs/${jobId}`, { headers: { Accept: "application/json" } });
  if (answer.status === 404) return gone(jobId);
  if (!answer.ok) return;
  const found = await answer.json();
  const known = versions.get("job" + jobId) ?? 0;
  job(found);
  if (!main.hasAttribute("data-others")) watch(found);
  if (found.version > known || !state.cues.size) await askForCues();
}

/** Those that are new, and those that may have been translated meanwhile. */
async function askForCues() {
  const numbers = [...state.cues.keys()];
  const open = [...state.cues.values()].filter((cue) => !cue.answered).map((cue) => cue.number);
  const after = Math.min(Math.max(0, ...numbers), ...open.map((number) => number - 1));
  const answer = await fetch(`/api/jobs/${jobId}/cues?after=${after}`);
  if (answer.ok) cues((await answer.json()).cues);
}

async function askForJobs() {
  const answer = await fetch(`/api/jobs${location.search}`);
  if (!answer.ok) return;
  for (const found of (await answer.json()).jobs) {
    watch(found);
    brief(found);
  }
}

/** Whether leaving would end this job, as far as it is known from the job itself. */
function watch({ id, warn }) {
  if (warn === state.unfinished.includes(id)) return;
  unfinished(warn ? [...state.unfinished, id] : state.unfinished.filter((one) => one !== id));
}

window.addEventListener("online", () => {
  wait = FIRST_WAIT;
  if (!state.connected) connect();
});
setInterval(ask, ASK);
connect();
