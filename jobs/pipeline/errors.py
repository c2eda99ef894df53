"""Every way a job can fail, each with the sentence a person reads.

PipelineError
├── BadInput            what was brought cannot be used
│   ├── SourceError     the file or the link
│   ├── LanguageError   the languages asked for
│   ├── SubtitlesError  the subtitles that were brought
│   └── QuotaError      more than one person may have
├── EngineError         a speech or translation engine
│   ├── NotReady        it is not installed, or lacks a key or a model
│   └── ServiceError    a remote one did not do its work
└── HostError           this machine: disk, permissions, ffmpeg

A sentence says what went wrong and what to do. It is a template: `params` fill it, so that it can be translated first
and filled afterwards. `detail` is the technical text behind it (the tail of stderr, the answer of a server): shown one
click away, never instead of the sentence. It must not hold a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from jobs.pipeline.gettext_marker import _


class ErrorRecord(TypedDict):
    """An error as plain data, to cross a process border or to be stored."""

    code: str
    params: dict[str, Any]
    detail: str


class PipelineError(Exception):
    """The root. `sentence` is the template of the class, `retryable` whether the same call may succeed later."""

    sentence: ClassVar[str] = _("The video could not be processed because of an unexpected error. Try again.")
    retryable: ClassVar[bool] = False

    def __init__(self, *, detail: str = "", **params: Any) -> None:
        self.params = params
        self.detail = detail
        super().__init__(self.sentence.format(**params))

    def record(self) -> ErrorRecord:
        return {"code": type(self).__name__, "params": self.params, "detail": self.detail}


def from_record(record: ErrorRecord) -> PipelineError:
    """The error that `record` was made of; an unknown code gives the root."""
    known = {kind.__name__: kind for kind in all_errors()}
    kind = known.get(record["code"], PipelineError)
    return kind(detail=record["detail"], **record["params"])


def all_errors(root: type[PipelineError] = PipelineError) -> list[type[PipelineError]]:
    """The tree below `root`, `root` included, depth first."""
    return [root, *(kind for child in root.__subclasses__() for kind in all_errors(child))]


class BadInput(PipelineError):
    sentence = _("This input cannot be used. Choose another one.")


# The file or the link


class SourceError(BadInput):
    sentence = _("This video cannot be used. Choose another one.")


class NoSuchFile(SourceError):
    sentence = _("The file “{path}” does not exist. Check the name and try again.")


class NotAFile(SourceError):
    sentence = _("“{path}” is not a readable file. Give the path of a video file.")


class EmptyFile(SourceError):
    sentence = _("The file “{path}” is empty. Choose another file, or copy it again.")


class OnlyByCommand(SourceError):
    sentence = _(
        "“{name}” was started on the command line, and the site does not know where the file is. Start it there again."
    )


class NotAVideo(SourceError):
    sentence = _("“{name}” is not a readable video or audio file. Choose an MP4, MKV, MOV, WebM or audio file.")


class DamagedVideo(SourceError):
    sentence = _("“{name}” is damaged or incomplete. Download or copy it again.")


class NoAudio(SourceError):
    sentence = _(
        "“{name}” has no sound, so there is no speech to transcribe. Choose another file, or add your own subtitle "
        "file."
    )


class NoVideoStream(SourceError):
    sentence = _("“{name}” has sound but no picture to put subtitles on. Choose subtitle files only.")


class NoSpeech(SourceError):
    sentence = _("No speech was found in “{name}”. If it contains speech, choose the spoken language and try again.")


class TooLong(SourceError):
    sentence = _("“{name}” is {actual} long; the limit is {limit}. Cut it into shorter parts.")


class TooShort(SourceError):
    sentence = _("“{name}” has a length of zero. Choose a file that plays.")


class TooLarge(SourceError):
    sentence = _("“{name}” is larger than the limit of {limit}. Choose a smaller file.")


class TooManyPixels(SourceError):
    sentence = _("The picture of “{name}” is {actual}; the limit is {limit}. Scale it down first.")


class LinkError(SourceError):
    sentence = _("The video at this link could not be downloaded. Check the link, or upload the file.")


class BadLink(LinkError):
    sentence = _("This is not a link to a video. Paste the full address, beginning with https://.")


class ForbiddenAddress(LinkError):
    sentence = _("This link leads to an address that is not public. Videos are downloaded from public addresses only.")


class DeadLink(LinkError):
    sentence = _("The server at this link does not respond. Check the address, or upload the file.")
    retryable = True


class VideoUnavailable(LinkError):
    sentence = _("This video is private, removed or not available here. Choose another video, or upload the file.")


class SignInRequired(LinkError):
    sentence = _(
        "The site of this video requires signing in. Provide a cookies file from a signed-in browser, or upload the "
        "file."
    )


class NoVideoAtLink(LinkError):
    sentence = _("The page at this link contains no video. Paste the address of the video itself.")


class LiveStream(LinkError):
    sentence = _("This link is a live stream. Wait until it ends, then paste the link to the recording.")


class SeveralVideos(LinkError):
    sentence = _("This link leads to several videos. Paste the link to one of them.")


class BrokenDownload(LinkError):
    sentence = _("The download stopped before the video was complete. Try again, or upload the file.")
    retryable = True


class BadCookies(LinkError):
    sentence = _("The cookies file cannot be read. Export it again from a signed-in browser, in Netscape format.")


# The languages


class LanguageError(BadInput):
    sentence = _("These languages cannot be used together. Choose other languages.")


class UnknownLanguage(LanguageError):
    sentence = _("The language “{language}” is not known. Use a code such as fa, en or es.")


class CannotDetectLanguage(LanguageError):
    sentence = _("The spoken language could not be detected. Choose it and try again.")


class CannotTranscribe(LanguageError):
    sentence = _(
        "{engine} cannot transcribe {language}. Choose another speech engine, or one of these languages: {known}."
    )


class CannotTranslate(LanguageError):
    sentence = _("{engine} cannot translate from {source} to {target}. Choose other languages or another engine.")


# Subtitles and glossaries that were brought


class SubtitlesError(BadInput):
    sentence = _("This subtitle file cannot be used. Choose an SRT, WebVTT or ASS file.")


class SubtitlesNeeded(SubtitlesError):
    sentence = _("Your subtitle file was deleted with the job. Choose it again.")


class UnreadableSubtitles(SubtitlesError):
    sentence = _("“{name}” is not a readable subtitle file. Choose an SRT, WebVTT or ASS file.")


class NoSubtitleLines(SubtitlesError):
    sentence = _("“{name}” contains no subtitles. Choose a file with text and times.")


class OtherLanguageSubtitles(SubtitlesError):
    sentence = _("“{name}” does not seem to be in {language}. Choose its language, so that it can be translated.")


class BadGlossary(BadInput):
    sentence = _("Line {line} of “{name}” does not have the form “term = translation”. Correct it and try again.")


class BadStyle(BadInput):
    sentence = _("The style “{style}” is not known. Choose at most one word from each group: {choices}.")


# What one person may have


class QuotaError(BadInput):
    sentence = _("This exceeds your quota. Delete some results, or try again later.")


class TooManyJobs(QuotaError):
    sentence = _("You have {count} jobs waiting or uploading; the limit is {limit}. Wait until one of them starts.")


class DailyMinutes(QuotaError):
    sentence = _("You have used {used} of video in 24 hours; the limit is {limit}. Try again later.")


class StorageFull(QuotaError):
    sentence = _(
        "There is no room for this file: your files take up {stored}; the limit is {limit}. Delete some results first."
    )


# Engines


class EngineError(PipelineError):
    sentence = _("{engine} failed. Try again, or choose another engine.")


class UnknownEngine(EngineError):
    sentence = _("The engine “{engine}” does not exist. Choose one of these: {known}.")


class NotReady(EngineError):
    sentence = _("{engine} is not ready: {reason} To fix this: {remedy}")


class DemoSpeechOnly(NotReady):
    sentence = _(
        "Only the offline demo speech engine is installed. Its transcripts are too poor to be worth the cost of "
        "{engine}. Install WhisperX: {remedy}. Or choose the engines by name."
    )


class OutOfMemory(EngineError):
    sentence = _("{engine} ran out of memory. Choose a smaller model, or close other programs.")
    retryable = True


class NothingTranslated(EngineError):
    sentence = _("{engine} returned no usable translation. Try again later, or choose another engine.")
    retryable = True


class ServiceError(EngineError):
    sentence = _("{engine} did not answer as expected. Try again later.")
    retryable = True


class ServiceDown(ServiceError):
    sentence = _("{engine} cannot be reached. Check the network or the proxy, and try again later.")


class ServiceSlow(ServiceError):
    sentence = _("{engine} did not answer in time. Try again later.")


class WrongKey(ServiceError):
    sentence = _("{engine} rejected the key. Check {setting}.")
    retryable = False


class OutOfQuota(ServiceError):
    sentence = _("The quota of {engine} is used up. Wait until it is renewed, or use another key.")


class RefusedLocation(ServiceError):
    sentence = _(
        "{engine} is not available in this country. Set {setting} to a proxy in a country where it is available."
    )
    retryable = False


class UnknownModel(ServiceError):
    sentence = _("{engine} has no model “{model}”. Check {setting}.")
    retryable = False


# This machine


class HostError(PipelineError):
    sentence = _("This machine could not complete the work. Try again.")
    retryable = True


class DiskFull(HostError):
    sentence = _("The disk is full. Free some space and try again.")


class Unwritable(HostError):
    sentence = _("“{path}” is not writable. Choose another directory, or change its permissions.")
    retryable = False


class StorageAway(HostError):
    sentence = _("The disk with the files of this site is not available right now. Nothing is lost. Try again later.")


class NoFfmpeg(HostError):
    sentence = _("ffmpeg was not found on this machine. Install the requirements of Zirnevis again.")
    retryable = False


class StageDied(HostError):
    sentence = _(
        "The processing of the video stopped unexpectedly. Try again; if it happens again, choose another file or "
        "engine."
    )


class StageTimedOut(HostError):
    sentence = _(
        "The processing took longer than {limit} and was stopped. Try a shorter or smaller video, or a faster engine."
    )
    retryable = False


class WouldOverwrite(HostError):
    sentence = _("The result would overwrite your file “{path}”. Choose another directory for the results.")
    retryable = False


class MediaFailed(HostError):
    sentence = _("ffmpeg could not process “{name}”. Try another file, or convert it to MP4 first.")
    retryable = False


class SystemRefused(HostError):
    sentence = _("The operating system refused the operation: {reason}. Close other programs, or raise its limits.")


class DatabaseTrouble(HostError):
    sentence = _("The database does not respond ({reason}). Check that it is running, and check DATABASE_URL.")


class DatabaseFull(DatabaseTrouble):
    sentence = _("The database has no room: its disk or the one for temporary files (TMPDIR) is full. Free some space.")


class DatabaseBusy(DatabaseTrouble):
    sentence = _("Another program has kept the database locked for too long. Try again when it is done.")


class DatabaseReadOnly(DatabaseTrouble):
    sentence = _("The database is not writable. Change the permissions of its file and of its directory.")
    retryable = False


class DatabaseMissing(DatabaseTrouble):
    sentence = _("The database cannot be opened. Check that the directory in DATABASE_URL exists and can be read.")
    retryable = False


class DatabaseNotReady(DatabaseTrouble):
    sentence = _("The database is not ready. Run: manage.py migrate")
    retryable = False
