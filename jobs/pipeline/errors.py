"""All errors of a job, each with the sentence for its user.

PipelineError
├── BadInput            the input cannot be used
│   ├── SourceError     the file or the link
│   ├── LanguageError   the languages
│   ├── SubtitlesError  the uploaded subtitles
│   └── QuotaError      the user's quota is exceeded
├── EngineError         a speech or translation engine
│   ├── NotReady        not installed, or without a key or a model
│   └── ServiceError    a remote service failed
└── HostError           this machine: disk, permissions, ffmpeg

A sentence says what happened and what to do. It is a template that `params` fill, so that it can be translated before
it is filled. `detail` is the technical text (the end of stderr, the answer of a server), which pages show on request,
in addition to the sentence. It must not contain a secret.

The module is longer than others, because it is one list of declarations.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from jobs.pipeline.gettext_marker import _


class ErrorRecord(TypedDict):
    """An error as types of JSON, to be stored or sent to another process."""

    code: str
    params: dict[str, Any]
    detail: str


class PipelineError(Exception):
    """The root of all errors.

    `sentence` is the template of the class; `retryable` tells whether the same call may succeed later.
    """

    sentence: ClassVar[str] = _("The video could not be processed because of an unexpected error. Try again.")
    retryable: ClassVar[bool] = False

    def __init__(self, *, detail: str = "", **params: Any) -> None:
        self.params = params
        self.detail = detail
        super().__init__(self.sentence.format(**params))

    def record(self) -> ErrorRecord:
        """Convert to a record, from which `from_record` makes the same error."""
        return {"code": type(self).__name__, "params": self.params, "detail": self.detail}


def from_record(record: ErrorRecord) -> PipelineError:
    """Make the error of a record; PipelineError for an unknown code."""
    known = {kind.__name__: kind for kind in all_errors()}
    kind = known.get(record["code"], PipelineError)
    return kind(detail=record["detail"], **record["params"])


def all_errors(root: type[PipelineError] = PipelineError) -> list[type[PipelineError]]:
    """List `root` and all its subclasses, depth first."""
    return [root, *(kind for child in root.__subclasses__() for kind in all_errors(child))]


class BadInput(PipelineError):
    """The input cannot be used; its subclasses name the part."""

    sentence = _("This input cannot be used. Choose another one.")


# The file or the link


class SourceError(BadInput):
    """The file or link cannot be used."""

    sentence = _("This video cannot be used. Choose another one.")


class NoSuchFile(SourceError):
    """The file `path` does not exist."""

    sentence = _("The file “{path}” does not exist. Check the name and try again.")


class NotAFile(SourceError):
    """`path` is not a regular file, or cannot be read."""

    sentence = _("“{path}” is not a readable file. Give the path of a video file.")


class EmptyFile(SourceError):
    """The file `path` has no bytes."""

    sentence = _("The file “{path}” is empty. Choose another file, or copy it again.")


class LengthUnknown(SourceError):
    """The length of the video at `link` is not known before it is downloaded, so nothing can be estimated."""

    sentence = _(
        "The length of “{link}” is known only after the download. Give a file of this machine, or your own subtitles."
    )


class OnlyByCommand(SourceError):
    """A job of the command line cannot be started again on the site: the path of its file is not stored."""

    sentence = _(
        "“{name}” was started on the command line, and the site does not know where the file is. Start it there again."
    )


class NotAVideo(SourceError):
    """ffmpeg recognises neither video nor audio in the file `name`."""

    sentence = _("“{name}” is not a readable video or audio file. Choose an MP4, MKV, MOV, WebM or audio file.")


class DamagedVideo(SourceError):
    """The media file `name` cannot be decoded, or is shorter than it states."""

    sentence = _("“{name}” is damaged or incomplete. Download or copy it again.")


class NoAudio(SourceError):
    """The video `name` has no audio track to transcribe."""

    sentence = _(
        "“{name}” has no sound, so there is no speech to transcribe. Choose another file, or add your own subtitle "
        "file."
    )


class NoSuchTrack(SourceError):
    """`name` has no audio track `track`, a number or a language, that can be decoded. `tracks` lists those it has."""

    sentence = _("“{name}” has no sound track “{track}” that can be played. Choose one of these: {tracks}.")


class NoVideoStream(SourceError):
    """The file `name` has no picture, but a video was requested."""

    sentence = _("“{name}” has sound but no picture to put subtitles on. Choose subtitle files only.")


class NoSpeech(SourceError):
    """No words were recognised in the whole of `name`."""

    sentence = _("No speech was found in “{name}”. If it contains speech, choose the spoken language and try again.")


class TooLong(SourceError):
    """The duration `actual` of `name` exceeds `limit`."""

    sentence = _("“{name}” is {actual} long; the limit is {limit}. Cut it into shorter parts.")


class TooShort(SourceError):
    """The duration of `name` is zero."""

    sentence = _("“{name}” has a length of zero. Choose a file that plays.")


class TooLarge(SourceError):
    """The size of `name` exceeds `limit`."""

    sentence = _("“{name}” is larger than the limit of {limit}. Choose a smaller file.")


class TooManyPixels(SourceError):
    """The picture of `name`, of size `actual`, has more pixels than `limit`."""

    sentence = _("The picture of “{name}” is {actual}; the limit is {limit}. Scale it down first.")


class LinkError(SourceError):
    """A download failed for a reason that no subclass names."""

    sentence = _("The video at this link could not be downloaded. Check the link, or upload the file.")


class BadLink(LinkError):
    """The text is not an http or https address, or it contains a password."""

    sentence = _("This is not a link to a video. Paste the full address, beginning with https://.")


class ForbiddenAddress(LinkError):
    """The network guard refused an address that is not public."""

    sentence = _("This link leads to an address that is not public. Videos are downloaded from public addresses only.")


class DeadLink(LinkError):
    """The server cannot be reached, or answers with an HTTP error."""

    sentence = _("The server at this link does not respond. Check the address, or upload the file.")
    retryable = True


class VideoUnavailable(LinkError):
    """The video is private, removed, or not available in this country."""

    sentence = _("This video is private, removed or not available here. Choose another video, or upload the file.")


class SignInRequired(LinkError):
    """The site demands a signed-in user."""

    sentence = _(
        "The site of this video requires signing in. Provide a cookies file from a signed-in browser, or upload the "
        "file."
    )


class NoVideoAtLink(LinkError):
    """The page has no video, or none that can be downloaded over HTTP."""

    sentence = _("The page at this link contains no video. Paste the address of the video itself.")


class LiveStream(LinkError):
    """The video is a live stream that has not ended."""

    sentence = _("This link is a live stream. Wait until it ends, then paste the link to the recording.")


class SeveralVideos(LinkError):
    """The link leads to more than one video."""

    sentence = _("This link leads to several videos. Paste the link to one of them.")


class BrokenDownload(LinkError):
    """The download ended before the file was complete, or no data arrived in time."""

    sentence = _("The download stopped before the video was complete. Try again, or upload the file.")
    retryable = True


class BadCookies(LinkError):
    """The cookies file is not readable or not in Netscape format."""

    sentence = _("The cookies file cannot be read. Export it again from a signed-in browser, in Netscape format.")


# The languages


class LanguageError(BadInput):
    """The languages of the job cannot be used."""

    sentence = _("These languages cannot be used together. Choose other languages.")


class UnknownLanguage(LanguageError):
    """`language` is neither a code nor an English name in CLDR."""

    sentence = _("The language “{language}” is not known. Use a code such as fa, en or es.")


class CannotTranscribe(LanguageError):
    """The transcriber `engine` does not support `language`; it supports `known`."""

    sentence = _(
        "{engine} cannot transcribe {language}. Choose another speech engine, or one of these languages: {known}."
    )


class CannotTranslate(LanguageError):
    """The translator `engine` does not support `source` to `target`."""

    sentence = _("{engine} cannot translate from {source} to {target}. Choose other languages or another engine.")


# Uploaded subtitles and glossaries


class SubtitlesError(BadInput):
    """The uploaded subtitles cannot be used."""

    sentence = _("This subtitle file cannot be used. Choose an SRT, WebVTT or ASS file.")


class SubtitlesNeeded(SubtitlesError):
    """The uploaded subtitles of a job that is started again have been deleted."""

    sentence = _("Your subtitle file was deleted with the job. Choose it again.")


class UnreadableSubtitles(SubtitlesError):
    """The file `name` is not SRT, WebVTT or ASS in a known encoding."""

    sentence = _("“{name}” is not a readable subtitle file. Choose an SRT, WebVTT or ASS file.")


class NoSubtitleLines(SubtitlesError):
    """The subtitle file `name` has no line with text and times."""

    sentence = _("“{name}” contains no subtitles. Choose a file with text and times.")


class TooManySubtitles(SubtitlesError):
    """The subtitle file `name` has more than `limit` subtitles."""

    sentence = _("“{name}” contains more than {limit} subtitles. Divide the file, or choose the one of a single video.")


class OtherLanguageSubtitles(SubtitlesError):
    """The subtitles in `name` are not in the script of `language`."""

    sentence = _("“{name}” does not seem to be in {language}. Choose its language, so that it can be translated.")


class NoUsableSubtitles(SubtitlesError):
    """The video `name` has no text subtitles or captions that can be used, though only those were wanted."""

    sentence = _("“{name}” has no subtitles that can be used as text. Start again with speech recognition.")


class SubtitlesRefused(NoUsableSubtitles):
    """The text subtitles of the video `name` cannot be used; `reason` is the clause that says why."""

    sentence = _("The subtitles of “{name}” cannot be used, because {reason}. Start again with speech recognition.")


class NoSuchSubtitles(NoUsableSubtitles):
    """The video `name` has no text subtitles `track`, a number or a language. `tracks` lists those it has."""

    sentence = _("“{name}” has no subtitles “{track}” that can be used as text. Choose one of these: {tracks}.")


class BadWords(BadInput):
    """`words` is no choice of where the words of a job come from."""

    sentence = _(
        "“{words}” is not a valid source of the words. Choose auto, speech, subtitles, or subtitles with a track, such "
        "as subtitles:2 or subtitles:en."
    )


class BadGlossary(BadInput):
    """Line number `line` of the glossary `name` cannot be parsed."""

    sentence = _("Line {line} of “{name}” does not have the form “term = translation”. Correct it and try again.")


class BadGlossaryRow(BadInput):
    """Row number `line` of the glossary `name` has no term, or a cell that is too long."""

    sentence = _(
        "Row {line} of “{name}” has no term, or is too long. Each row needs a term; its translation may be empty."
    )


class UnreadableGlossary(BadInput):
    """The glossary `name` is not a text file."""

    sentence = _("“{name}” cannot be read as text. Save the glossary as CSV in UTF-8.")


class GlossaryTooLong(BadInput):
    """The glossary `name` has more than `limit` terms."""

    sentence = _("“{name}” has more than {limit} terms. Divide the glossary.")


class BadBrief(BadInput):
    """Line number `line` of the brief `name` cannot be parsed, or is too long."""

    sentence = _(
        "Line {line} of “{name}” does not belong in a brief, or is too long. A brief has “topic: …”, “register: …”, "
        "and lines “name = translation” under “names:” and “terms:”."
    )


class NeedsLanguageModel(BadInput):
    """A brief or a careful revision was asked of `engine`, which is no language model."""

    sentence = _(
        "Only language models can make a brief or revise their translation, and {engine} is none. Switch both off, or "
        "choose another engine."
    )


class BadStyle(BadInput):
    """`style` has an unknown word, or two of one kind."""

    sentence = _("The style “{style}” is not known. Choose at most one word from each group: {choices}.")


class BadSpeakers(BadInput):
    """`speakers` is neither a word that is known nor a number up to `most`."""

    sentence = _("“{speakers}” is not a valid number of speakers. Choose off, auto, or a number from 1 to {most}.")


class SpeakersNeedSound(BadInput):
    """Speakers of subtitles were to be told apart."""

    sentence = _("Speakers can be told apart only where speech is transcribed, not in subtitles.")


# Quotas


class QuotaError(BadInput):
    """The user's quota is exceeded."""

    sentence = _("This exceeds your quota. Delete some results, or try again later.")


class TooManyJobs(QuotaError):
    """The user has `count` waiting jobs, and `limit` is the most."""

    sentence = _("You have {count} jobs waiting or uploading; the limit is {limit}. Wait until one of them starts.")


class DailyMinutes(QuotaError):
    """The user's videos of the last 24 hours are `used` long, and `limit` is the most."""

    sentence = _("You have used {used} of video in 24 hours; the limit is {limit}. Try again later.")


class StorageFull(QuotaError):
    """The user's files take up `stored` of `limit`."""

    sentence = _(
        "There is no room for this file: your files take up {stored}; the limit is {limit}. Delete some results first."
    )


class CapReached(QuotaError):
    """The next call of a paid service could exceed a cap. What was done stays, and the job waits.

    `used` and `limit` are amounts of money or tokens, `needed` is what the next call needs; it is expected to use
    `input_tokens` and `output_tokens`.
    """

    sentence = _("The limit for paid services is reached: {used} of {limit} are used. Nothing is lost.")


class JobCapReached(CapReached):
    """The cap of this job."""

    sentence = _(
        "Paused: {used} of the limit of {limit} for this job are used, and the next request may take {needed}. "
        "Everything so far is kept. Raise the limit of the job to resume."
    )


class MonthCapReached(CapReached):
    """The cap of the owner's calendar month."""

    sentence = _(
        "Paused: {used} of the limit of {limit} a month are used, and the next request may take {needed}. "
        "Everything so far is kept. The job resumes next month, or when an administrator raises the limit."
    )


# Engines


class EngineError(PipelineError):
    """A speech or translation engine failed."""

    sentence = _("{engine} failed. Try again, or choose another engine.")


class UnknownEngine(EngineError):
    """No engine has the name `engine`; the names are `known`."""

    sentence = _("The engine “{engine}” does not exist. Choose one of these: {known}.")


class NotReady(EngineError):
    """The engine cannot be used yet; `reason` is the cause, `remedy` the fix."""

    sentence = _("{engine} is not ready: {reason} To fix this: {remedy}")


class DemoSpeechOnly(NotReady):
    """A paid translator would translate the transcript of the demo speech engine."""

    sentence = _(
        "Only the offline demo speech engine is installed. Its transcripts are too poor to be worth the cost of "
        "{engine}. Install WhisperX: {remedy}. Or choose the engines by name."
    )


class OutOfMemory(EngineError):
    """The engine ran out of memory or GPU memory."""

    sentence = _("{engine} ran out of memory. Choose a smaller model, or close other programs.")
    retryable = True


class NothingTranslated(EngineError):
    """The translator returned no usable text for any line."""

    sentence = _("{engine} returned no usable translation. Try again later, or choose another engine.")
    retryable = True


class ServiceError(EngineError):
    """A remote service gave an unexpected answer."""

    sentence = _("{engine} did not answer as expected. Try again later.")
    retryable = True


class ServiceDown(ServiceError):
    """The service cannot be reached, or answered with HTTP 5xx."""

    sentence = _("{engine} cannot be reached. Check the network or the proxy, and try again later.")


class ProxyDown(ServiceDown):
    """The service cannot be reached through `proxy`, an address without its password, from `setting`."""

    sentence = _("{engine} cannot be reached through the proxy {proxy}. Check {setting}, and try again later.")


class ServiceSlow(ServiceError):
    """The service did not answer within the timeout."""

    sentence = _("{engine} did not answer in time. Try again later.")


class WrongKey(ServiceError):
    """The service rejected the key from `setting`."""

    sentence = _("{engine} rejected the key. Check {setting}.")
    retryable = False


class OutOfQuota(ServiceError):
    """The account at the service has no quota or credit left."""

    sentence = _("The quota of {engine} is used up. Wait until it is renewed, or use another key.")


class DayQuota(OutOfQuota):
    """The quota of the day is used up, and the service does not say when it is renewed."""

    sentence = _(
        "The quota of {engine} for today is used up. What is translated is kept: continue tomorrow, or use another key."
    )


class DayQuotaUntil(DayQuota):
    """The quota of the day is used up until `until`, a time in ISO 8601 format."""

    sentence = _(
        "The quota of {engine} for today is used up. What is translated is kept: continue after {until}, or use "
        "another key."
    )


class ContextTooSmall(ServiceError):
    """Not even one line fits into the context of the model, whose length the service does not tell."""

    sentence = _(
        "The context of the model at {engine} is too short for a single line. Give the model a context of 4096 tokens "
        "or more (OLLAMA_CONTEXT_LENGTH for Ollama, --ctx-size for llama.cpp, --max-model-len for vLLM)."
    )
    retryable = False


class ContextOf(ContextTooSmall):
    """Not even one line fits into the context of the model, which has `tokens` tokens."""

    sentence = _(
        "The model at {engine} reads only {tokens} tokens at once, too few for a single line. Give it a larger "
        "context, such as 8192 tokens (OLLAMA_CONTEXT_LENGTH for Ollama, --ctx-size for llama.cpp, --max-model-len for "
        "vLLM)."
    )


class RefusedLocation(ServiceError):
    """The service does not serve this country."""

    sentence = _(
        "{engine} is not available in this country. Set {setting} to a proxy in a country where it is available."
    )
    retryable = False


class UnknownModel(ServiceError):
    """The service or engine has no model of the name in `setting`."""

    sentence = _("{engine} has no model “{model}”. Check {setting}.")
    retryable = False


# This machine


class HostError(PipelineError):
    """The cause is this machine: disk, permissions, programs."""

    sentence = _("This machine could not complete the work. Try again.")
    retryable = True


class DiskFull(HostError):
    """The disk is full, or its quota is used up."""

    sentence = _("The disk is full. Free some space and try again.")


class Unwritable(HostError):
    """The system refuses to write at `path`."""

    sentence = _("“{path}” is not writable. Choose another directory, or change its permissions.")
    retryable = False


class StorageAway(HostError):
    """The disk under MEDIA_ROOT is not mounted, or belongs to another installation."""

    sentence = _("The disk with the files of this site is not available right now. Nothing is lost. Try again later.")


class NoFfmpeg(HostError):
    """ffmpeg cannot be found or started."""

    sentence = _("ffmpeg was not found on this machine. Install the requirements of Zirnevis again.")
    retryable = False


class StageDied(HostError):
    """A child process or ffmpeg ended unexpectedly, such as by a signal."""

    sentence = _(
        "The processing of the video stopped unexpectedly. Try again; if it happens again, choose another file or "
        "engine."
    )


class StageTimedOut(HostError):
    """A stage exceeded its time limit (see stage.time_limit)."""

    sentence = _(
        "The processing took longer than {limit} and was stopped. Try a shorter or smaller video, or a faster engine."
    )
    retryable = False


class WouldOverwrite(HostError):
    """A result would be written over the user's own file `path`."""

    sentence = _("The result would overwrite your file “{path}”. Choose another directory for the results.")
    retryable = False


class MediaFailed(HostError):
    """ffmpeg failed on `name`, which had passed the probe."""

    sentence = _("ffmpeg could not process “{name}”. Try another file, or convert it to MP4 first.")
    retryable = False


class SystemRefused(HostError):
    """The system refuses for the cause `reason`, which no other directory would avoid."""

    sentence = _("The operating system refused the operation: {reason}. Close other programs, or raise its limits.")


class DatabaseTrouble(HostError):
    """The database failed for a reason that no subclass names; `reason` is its message."""

    sentence = _("The database does not respond ({reason}). Check that it is running, and check DATABASE_URL.")


class DatabaseFull(DatabaseTrouble):
    """The disk of the database is full."""

    sentence = _("The database has no room: its disk is full. Free some space.")


class DatabaseBusy(DatabaseTrouble):
    """The database stayed locked for longer than retries last."""

    sentence = _("Another program has kept the database locked for too long. Try again when it is done.")


class DatabaseReadOnly(DatabaseTrouble):
    """The database file or its directory is not writable."""

    sentence = _("The database is not writable. Change the permissions of its file and of its directory.")
    retryable = False


class DatabaseMissing(DatabaseTrouble):
    """The database file cannot be opened."""

    sentence = _("The database cannot be opened. Check that the directory in DATABASE_URL exists and can be read.")
    retryable = False


class DatabaseNotReady(DatabaseTrouble):
    """The tables of the database are missing or outdated."""

    sentence = _("The database is not ready. Run: manage.py migrate")
    retryable = False
