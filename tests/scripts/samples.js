// Jobs and cues for tests.

/** @import {Cue, Job, JobRow} from "../../static/web/messages.js" */

/**
 * @param {number} number
 * @param {number} start
 * @param {number} end
 * @param {Partial<Cue>} [rest]
 * @returns {Cue}
 */
export function cue(number, start, end, rest = {}) {
  return { number, start, end, clock: "0:00", source: "hello", target: "", answered: false, speaker: "", ...rest };
}

/**
 * @param {string} id
 * @param {number} version
 * @param {Partial<JobRow>} [rest]
 * @returns {JobRow}
 */
export function row(id, version, rest = {}) {
  return {
    id,
    version,
    url: `/jobs/${id}/`,
    status: "running",
    status_text: "Running",
    title: "talk.mp4",
    languages: "English → Persian",
    length: "1:00",
    created: "today",
    percent: 40,
    percent_text: "40 %",
    left: "",
    left_holds: null,
    step: "",
    moving: true,
    warn: false,
    ended: false,
    error: "",
    poster: "",
    can: { cancel: true, retry: false, again: false, bring: false, delete: false },
    ...rest,
  };
}

/**
 * @param {string} id
 * @param {number} version
 * @returns {Job}
 */
export function job(id, version) {
  return {
    ...row(id, version),
    keep_running: false,
    notify: false,
    news: "",
    pinned: false,
    stages: [],
    elapsed: null,
    stage_text: "",
    notes: [],
    tracks: [],
    words: [],
    detail: "",
    cost: "",
    ended_text: "",
    deleted_text: "",
    upload: null,
    video: null,
    part: "running",
    files: [],
    facts: [],
    problems: [],
  };
}
