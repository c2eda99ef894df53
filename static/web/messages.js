// The JSON that the server sends to pages and takes from them, as types. There is nothing here to run.
// jobs/web/ makes it; tests/web/test_message_types.py checks real messages against these types.

/**
 * @typedef {"uploading" | "queued" | "running" | "paused" | "completed" | "failed" | "cancelling" | "cancelled"} JobStatus
 */

/**
 * What can be done with a job now. `again` and `bring` exclude each other: `bring` needs the subtitle file again.
 * @typedef {object} Actions
 * @property {boolean} cancel
 * @property {boolean} retry
 * @property {boolean} again
 * @property {boolean} bring
 * @property {boolean} delete
 */

/**
 * A row of the list of jobs. `version` grows with each change; texts are in the language of the page.
 * @typedef {object} JobRow
 * @property {string} id  UUID
 * @property {number} version
 * @property {string} url  path of its page
 * @property {JobStatus} status
 * @property {string} status_text
 * @property {string} title
 * @property {string} languages
 * @property {string} length  m:ss or h:mm:ss; empty while unknown
 * @property {string} created
 * @property {number} percent  whole number, 0 to 100
 * @property {string} percent_text
 * @property {string} left  time left or place in the queue; may be empty
 * @property {number | null} left_holds  seconds after which the time left has run out; null where there is none
 * @property {string} step  the step that lasts, such as the loading of a model; mostly empty
 * @property {boolean} moving  whether it can still change by itself; the opposite of `ended`
 * @property {boolean} warn  whether it is cancelled when its owner leaves
 * @property {boolean} ended
 * @property {string} error
 * @property {string} poster  path of a picture; empty when there is none
 * @property {Actions} can
 */

/**
 * @typedef {object} JobOnly
 * @property {boolean} keep_running
 * @property {boolean} notify
 * @property {string} news  title of a notification; empty unless the job has just ended
 * @property {boolean} pinned
 * @property {StageState[]} stages
 * @property {Elapsed | null} elapsed  null while no stage runs
 * @property {string} stage_text
 * @property {string[]} notes
 * @property {SoundTrack[]} tracks  empty unless there are several
 * @property {WordSource[]} words  empty unless the words could come from somewhere else
 * @property {string} detail
 * @property {string} cost  the estimate, and what was used so far; empty where there is neither
 * @property {string} ended_text
 * @property {string} deleted_text
 * @property {UploadPlace | null} upload
 * @property {VideoPlace | null} video
 * @property {string} part  changes when parts of the page that the server renders have changed
 * @property {Download[]} files
 * @property {Fact[]} facts
 * @property {Fact[]} problems
 */

/**
 * Speech, a subtitle track or captions of the site. `value` is what is sent to start again with it.
 * @typedef {object} WordSource
 * @property {string} value
 * @property {string} label
 * @property {boolean} used
 */

/**
 * @typedef {object} SoundTrack
 * @property {number} number
 * @property {string} label
 * @property {boolean} used
 */

/**
 * Everything that the page of a job shows, except its cues.
 * @typedef {JobRow & JobOnly} Job
 */

/**
 * @typedef {object} StageState
 * @property {string} name
 * @property {string} label
 * @property {string} state
 * @property {number} percent
 */

/**
 * For how long the running stage has been running.
 * @typedef {object} Elapsed
 * @property {string} label  of the stage
 * @property {number} seconds
 * @property {string} clock  `seconds` as text
 */

/**
 * An upload that has not arrived completely.
 * @typedef {object} UploadPlace
 * @property {string} name  of the file
 * @property {number} size  bytes
 * @property {string} size_text
 * @property {string} url  for tus
 * @property {string} replace  path to which another file is announced that takes its place
 */

/**
 * Answer of `GET /uploads/<id>/checksums`.
 * @typedef {object} Checksums
 * @property {number} received  bytes that have arrived
 * @property {number} block  bytes under one checksum
 * @property {number[]} checksums  CRC-32 of each block; they may end before `received`
 */

/**
 * What can be played now.
 * @typedef {object} VideoPlace
 * @property {string} url
 * @property {string} poster
 * @property {string} track  path of the subtitles; empty when they are burned in
 * @property {string} language
 * @property {string} label
 * @property {string} unplayable
 */

/**
 * @typedef {object} Download
 * @property {string} label
 * @property {string} form
 * @property {string} url
 * @property {string} kind
 */

/**
 * @typedef {object} Fact
 * @property {string} label
 * @property {string} value
 */

/**
 * A caption. Times are seconds from the start of the video.
 * @typedef {object} Cue
 * @property {number} number
 * @property {number} start
 * @property {number} end
 * @property {string} clock  `start` as text
 * @property {string} source
 * @property {string} target
 * @property {boolean} answered  whether its translation is final
 * @property {string} speaker  who speaks, S1 and so on; empty where speakers are not told apart
 */

/**
 * First message of a socket: the state, with the cues that the page does not have; with `all` they replace those it has.
 * @typedef {object} HelloMessage
 * @property {"hello"} type
 * @property {string[]} unfinished  ids of the jobs that are cancelled when their owner leaves
 * @property {Job | null} job
 * @property {Cue[]} cues
 * @property {boolean} all
 */

/**
 * The page's own job has changed. `unfinished` is absent where the job is somebody else's.
 * @typedef {object} JobMessage
 * @property {"job"} type
 * @property {Job} job
 * @property {string[]} [unfinished]
 */

/**
 * Another job of the owner has changed.
 * @typedef {object} RowMessage
 * @property {"brief"} type
 * @property {JobRow} job
 * @property {string[]} unfinished
 */

/**
 * Cues that are new or newly translated; with `all` they replace what was known.
 * @typedef {object} CuesMessage
 * @property {"cues"} type
 * @property {Cue[]} cues
 * @property {true} [all]
 */

/**
 * The page's job was deleted.
 * @typedef {object} GoneMessage
 * @property {"gone"} type
 * @property {string} id
 */

/**
 * The server is there.
 * @typedef {object} AliveMessage
 * @property {"alive"} type
 */

/** @typedef {HelloMessage | JobMessage | RowMessage | CuesMessage | GoneMessage | AliveMessage} ServerMessage */

/**
 * What a page says on its socket.
 * @typedef {object} PageMessage
 * @property {"hidden" | "visible"} type
 */

/**
 * Answer of `POST /api/pages`: the lease of an open page.
 * @typedef {object} OpenPage
 * @property {string} page_id
 * @property {string} socket
 * @property {string[]} unfinished
 */

/**
 * Answer of `GET /api/jobs`.
 * @typedef {object} JobList
 * @property {JobRow[]} jobs
 * @property {number} page
 * @property {number} pages
 */

/**
 * Answer of `GET /api/jobs/<id>/cues`.
 * @typedef {object} CueList
 * @property {number} version
 * @property {Cue[]} cues
 */

/**
 * Answer of `GET /api/estimate`.
 * @typedef {object} CostEstimate
 * @property {string} text  empty where nothing can be estimated
 */

/**
 * A refusal (RFC 9457). `detail` is a sentence in the language of the page.
 * @typedef {object} Problem
 * @property {number} status
 * @property {string} title
 * @property {string} detail
 */

export {};
