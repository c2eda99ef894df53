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

    sentence: ClassVar[str] = _("Something went wrong while the video was processed. Try again.")
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
    sentence = _("There is no file “{path}”. Check the name and try again.")


class NotAFile(SourceError):
    sentence = _("“{path}” is not a file that can be read. Give the path of a video file.")


class EmptyFile(SourceError):
    sentence = _("The file “{path}” is empty. Choose the file again, or copy it anew.")


class OnlyByCommand(SourceError):
    sentence = _("“{name}” was brought by the command line, which alone knows where it lies. Start it there again.")


class NotAVideo(SourceError):
    sentence = _("“{name}” is not a video or sound file that can be read. Choose an MP4, MKV, MOV, WebM or audio file.")


class DamagedVideo(SourceError):
    sentence = _("“{name}” is damaged or cut short. Download or copy it again.")


class NoAudio(SourceError):
    sentence = _("“{name}” has no sound, so there is nothing to transcribe. Choose another file, or bring subtitles.")


class NoVideoStream(SourceError):
    sentence = _("“{name}” has sound but no picture to put subtitles on. Ask for the subtitles only.")


class NoSpeech(SourceError):
    sentence = _("No speech was found in “{name}”. If somebody speaks in it, choose the spoken language and try again.")


class TooLong(SourceError):
    sentence = _("“{name}” is {actual} long; at most {limit} are allowed. Cut it into shorter parts.")


class TooShort(SourceError):
    sentence = _("“{name}” has no length. Choose a file that plays.")


class TooLarge(SourceError):
    sentence = _("“{name}” is larger than the allowed {limit}. Choose a smaller file.")


class TooManyPixels(SourceError):
    sentence = _("The picture of “{name}” is {actual}; at most {limit} is allowed. Make it smaller first.")


class LinkError(SourceError):
    sentence = _("The video behind this link could not be downloaded. Check the link, or upload the file.")


class BadLink(LinkError):
    sentence = _("This is not a link to a video. Paste the full address, beginning with https://.")


class ForbiddenAddress(LinkError):
    sentence = _("This link leads to an address that is not public. Only public addresses are fetched.")


class DeadLink(LinkError):
    sentence = _("Nothing answers at this link. Check the address, or upload the file.")
    retryable = True


class VideoUnavailable(LinkError):
    sentence = _("This video is private, removed or not available here. Choose another one, or upload the file.")


class SignInRequired(LinkError):
    sentence = _(
        "The site asks for a sign-in before it hands out this video. Give a cookies file of a signed-in browser, "
        "or upload the file."
    )


class NoVideoAtLink(LinkError):
    sentence = _("There is a page at this link, but no video in it. Paste the address of the video itself.")


class LiveStream(LinkError):
    sentence = _("This link is a live stream. Wait until it has ended, then paste the link of the recording.")


class SeveralVideos(LinkError):
    sentence = _("There are several videos behind this link. Paste the link of one of them.")


class BrokenDownload(LinkError):
    sentence = _("The download broke off before the video was whole. Try again, or upload the file.")
    retryable = True


class BadCookies(LinkError):
    sentence = _("The cookies file cannot be read. Export it anew in Netscape format from a signed-in browser.")


# The languages


class LanguageError(BadInput):
    sentence = _("These languages cannot be used together. Choose others.")


class UnknownLanguage(LanguageError):
    sentence = _("“{language}” is not a language known here. Use a code such as fa, en or es.")


class CannotDetectLanguage(LanguageError):
    sentence = _("The spoken language could not be told. Choose it and try again.")


class CannotTranscribe(LanguageError):
    sentence = _("{engine} cannot transcribe {language}. Choose one of {known}, or another speech engine.")


class CannotTranslate(LanguageError):
    sentence = _("{engine} cannot translate from {source} to {target}. Choose other languages or another engine.")


# Subtitles and glossaries that were brought


class SubtitlesError(BadInput):
    sentence = _("The subtitles cannot be used. Bring an SRT, WebVTT or ASS file.")


class SubtitlesNeeded(SubtitlesError):
    sentence = _("The subtitles you brought were deleted with the job. Bring them again.")


class UnreadableSubtitles(SubtitlesError):
    sentence = _("“{name}” is not a subtitle file that can be read. Bring an SRT, WebVTT or ASS file.")


class NoSubtitleLines(SubtitlesError):
    sentence = _("There is no subtitle line in “{name}”. Bring a file with text and times.")


class OtherLanguageSubtitles(SubtitlesError):
    sentence = _("“{name}” does not look like {language}. Say in which language it is, so that it can be translated.")


class BadGlossary(BadInput):
    sentence = _("Line {line} of the glossary “{name}” is not “term = translation”. Correct it and try again.")


class BadStyle(BadInput):
    sentence = _("“{style}” is not a style. Choose at most one word of each: {choices}.")


# What one person may have


class QuotaError(BadInput):
    sentence = _("This is more than you are allowed here. Delete something, or try again later.")


class TooManyJobs(QuotaError):
    sentence = _("You have {count} jobs waiting or uploading; at most {limit} are allowed. Wait until one is done.")


class DailyMinutes(QuotaError):
    sentence = _("You had {used} of video translated in 24 hours; at most {limit} are allowed. Try again later.")


class StorageFull(QuotaError):
    sentence = _("This does not fit: your files take {stored}, and {limit} are allowed. Delete some results first.")


# Engines


class EngineError(PipelineError):
    sentence = _("{engine} failed. Try again, or choose another engine.")


class UnknownEngine(EngineError):
    sentence = _("There is no engine “{engine}”. Choose one of {known}.")


class NotReady(EngineError):
    sentence = _("{engine} is not ready: {reason} To make it ready: {remedy}")


class DemoSpeechOnly(NotReady):
    sentence = _(
        "Only the offline demo speech engine is installed, and its words are not good enough to pay {engine} for "
        "translating them. Install WhisperX with: {remedy}. Or choose the engines by name."
    )


class OutOfMemory(EngineError):
    sentence = _("{engine} ran out of memory. Choose a smaller model, or close other programs.")
    retryable = True


class NothingTranslated(EngineError):
    sentence = _("{engine} gave no usable translation of any line. Try again later, or choose another engine.")
    retryable = True


class ServiceError(EngineError):
    sentence = _("{engine} did not answer as it should. Try again later.")
    retryable = True


class ServiceDown(ServiceError):
    sentence = _("{engine} cannot be reached. Check the network or the proxy, and try again later.")


class ServiceSlow(ServiceError):
    sentence = _("{engine} did not answer in time. Try again later.")


class WrongKey(ServiceError):
    sentence = _("{engine} refused the key. Check {setting}.")
    retryable = False


class OutOfQuota(ServiceError):
    sentence = _("The quota of {engine} is used up. Wait until it is renewed, or use another key.")


class RefusedLocation(ServiceError):
    sentence = _("{engine} does not serve this location. Set {setting} to a proxy in a country that it serves.")
    retryable = False


class UnknownModel(ServiceError):
    sentence = _("{engine} has no model “{model}”. Check {setting}.")
    retryable = False


# This machine


class HostError(PipelineError):
    sentence = _("This machine could not do the work. Try again.")
    retryable = True


class DiskFull(HostError):
    sentence = _("The disk is full. Free some space and try again.")


class Unwritable(HostError):
    sentence = _("“{path}” cannot be written. Choose another directory, or change its permissions.")
    retryable = False


class NoFfmpeg(HostError):
    sentence = _("There is no ffmpeg on this machine. Install the requirements of Zirnevis again.")
    retryable = False


class StageDied(HostError):
    sentence = _("The work on the video broke off. Try again; if it happens again, choose another file or engine.")


class StageTimedOut(HostError):
    sentence = _("This took longer than {limit} and was stopped. Try a shorter or smaller video, or a faster engine.")
    retryable = False


class WouldOverwrite(HostError):
    sentence = _("The result would replace “{path}”, which you brought. Choose another directory for the results.")
    retryable = False


class MediaFailed(HostError):
    sentence = _("ffmpeg could not process “{name}”. Try another file, or convert it to MP4 first.")
    retryable = False
