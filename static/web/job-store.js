// What a page knows about jobs: messages of the server go in, listeners hear what is new.

/** @import {Cue, HelloMessage, Job, JobRow, ServerMessage} from "./messages.js" */

/**
 * Listeners by event.
 * @typedef {object} Events
 * @property {(job: Job) => void} job  the job of the page has changed
 * @property {(cues: readonly Cue[], all: boolean) => void} cues  new or changed cues; with `all` there are no others
 * @property {(row: JobRow) => void} brief  another job has changed
 * @property {(id: string) => void} gone  a job was deleted
 * @property {(ids: readonly string[]) => void} unfinished  which jobs are cancelled when the person leaves
 * @property {() => void} hello  the socket is open and the whole state is known
 */

/**
 * @typedef {object} State
 * @property {Job | null} job
 * @property {Map<number, Cue>} cues  by number
 * @property {readonly string[]} unfinished  ids of the jobs that are cancelled when the person leaves
 * @property {boolean} connected
 * @property {boolean} gone  whether the job of the page was deleted
 */

export class JobStore {
  /** @type {State} */
  state = { job: null, cues: new Map(), unfinished: [], connected: false, gone: false };

  /** @type {{[Name in keyof Events]: Events[Name][]}} */
  #listeners = { job: [], cues: [], brief: [], gone: [], unfinished: [], hello: [] };

  /** @type {Map<string, number>} */
  #versions = new Map();

  #jobId;

  /** @param {string | undefined} jobId  the job of the page, if it is the page of a job */
  constructor(jobId) {
    this.#jobId = jobId;
  }

  /**
   * Call `listener` with each event of this name, and at once with what is known already.
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} listener
   */
  on(name, listener) {
    this.#listeners[name].push(listener);
    const { job, cues, unfinished, gone } = this.state;
    const call = /** @type {(...news: any[]) => void} */ (listener);
    if (name === "job" && job) call(job);
    if (name === "cues" && cues.size) call([...cues.values()], true);
    if (name === "unfinished") call(unfinished);
    if (name === "gone" && gone) call(this.#jobId);
  }

  /**
   * From now on the page is that of another job.
   * @param {string} jobId
   */
  watch(jobId) {
    this.#jobId = jobId;
    this.state.job = null;
    this.state.gone = false;
    this.addCues([], true);
  }

  /** @param {ServerMessage} message */
  take(message) {
    switch (message.type) {
      case "hello":
        this.#takeHello(message);
        break;
      case "job":
        if (message.unfinished) this.setUnfinished(message.unfinished);
        this.setJob(message.job);
        break;
      case "brief":
        this.setUnfinished(message.unfinished);
        this.setRow(message.job);
        break;
      case "cues":
        this.addCues(message.cues, message.all);
        break;
      case "gone":
        this.setGone(message.id);
        break;
    }
  }

  /** @param {HelloMessage} message */
  #takeHello({ unfinished, job, cues, all }) {
    this.setUnfinished(unfinished);
    if (job) {
      this.setJob(job);
      this.addCues(cues, all);
    } else if (this.#jobId && !this.state.gone) this.setGone(this.#jobId);
    for (const listener of this.#listeners.hello) listener();
  }

  /** The version of the page's job that is known; 0 when none is. */
  get version() {
    return this.#versions.get(`job ${this.#jobId}`) ?? 0;
  }

  /** @param {Job} job */
  setJob(job) {
    if (!this.#isNews("job", job)) return;
    this.state.job = job;
    for (const listener of this.#listeners.job) listener(job);
  }

  /** @param {JobRow} row */
  setRow(row) {
    if (!this.#isNews("row", row)) return;
    for (const listener of this.#listeners.brief) listener(row);
  }

  /**
   * Answers can arrive out of order: what is older than what is known is dropped.
   * @param {"job" | "row"} kind
   * @param {{id: string, version: number}} news
   */
  #isNews(kind, { id, version }) {
    const key = `${kind} ${id}`;
    const known = this.#versions.get(key) ?? 0;
    this.#versions.set(key, Math.max(known, version));
    return version >= known;
  }

  /**
   * @param {readonly Cue[]} cues
   * @param {boolean} [all]
   */
  addCues(cues, all = false) {
    if (all) this.state.cues.clear();
    for (const cue of cues) this.state.cues.set(cue.number, cue);
    if (!all && !cues.length) return;
    for (const listener of this.#listeners.cues) listener(cues, all);
  }

  /** The number after which cues may be missing here or not be translated yet; 0 when there are none. */
  get completeUntil() {
    const cues = [...this.state.cues.values()];
    const last = Math.max(0, ...cues.map((cue) => cue.number));
    const open = cues.filter((cue) => !cue.answered).map((cue) => cue.number - 1);
    return Math.min(last, ...open);
  }

  /** @param {readonly string[]} ids */
  setUnfinished(ids) {
    this.state.unfinished = ids;
    for (const listener of this.#listeners.unfinished) listener(ids);
  }

  /**
   * Learn from a job itself, without a socket, whether it is cancelled when the person leaves.
   * @param {JobRow} job
   */
  setWarning({ id, warn }) {
    const { unfinished } = this.state;
    if (warn === unfinished.includes(id)) return;
    this.setUnfinished(warn ? [...unfinished, id] : unfinished.filter((other) => other !== id));
  }

  /** @param {string} id */
  setGone(id) {
    this.setUnfinished(this.state.unfinished.filter((other) => other !== id));
    this.state.gone = id === this.#jobId;
    for (const listener of this.#listeners.gone) listener(id);
  }
}
