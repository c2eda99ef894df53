"""Forms of a new job, validated and turned into `JobOptions`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from jobs import briefs
from jobs import glossaries as saved
from jobs.i18n.formats import sentence_of
from jobs.intake.brought import Brought, parse_brought
from jobs.intake.options import JobOptions, audio_track
from jobs.pipeline.download.client import check_link
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.protocols import Document
from jobs.pipeline.speech.speakers import Speakers, parse_speakers
from jobs.pipeline.stages import words
from jobs.pipeline.subtitles.reader import MAX_BYTES
from jobs.pipeline.subtitles.style import Style
from jobs.pipeline.text import briefing
from jobs.pipeline.text import glossary as glossaries
from jobs.pipeline.text.languages import language

COMMON_LANGUAGES = (
    "fa",
    "en",
    "ar",
    "de",
    "es",
    "fr",
    "hi",
    "he",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "tr",
    "ur",
    "zh",
)
"""Codes in the lists of languages, in their order. The form accepts every other code of CLDR, too."""

MODES = {
    "burn": _("burned into the picture"),
    "soft": _("as a separate track that can be turned off"),
    "none": _("subtitle files only, no video"),
}
SIZES = {"small": _("small"), "medium": _("medium"), "large": _("large")}
LOOKS = {"box": _("on a dark box"), "outline": _("with an outline")}
POSITIONS = {"bottom": _("at the bottom"), "top": _("at the top")}
TONES = {"auto": _("same as the speaker"), "colloquial": _("colloquial"), "formal": _("formal")}
COLOURS = {"one-colour": _("one colour for all"), "speaker-colours": _("one colour for each speaker")}
SPEAKERS = {"off": _("do not tell them apart"), "auto": _("tell them apart")}
MOST_SPEAKERS = 8
"""The largest number of speakers in the list of the form; the form accepts more."""
WORDS = {
    words.AUTO: _("existing subtitles, else speech recognition"),
    words.SPEECH: _("always speech recognition"),
    words.SUBTITLES: _("only existing subtitles"),
}
SUBTITLES = {"translate": _("translate it"), "use": _("use it without changes")}


EMPTY = _("Choose a video or audio file that is not empty.")


class JobOptionsForm(forms.Form):
    """The options of a job. Only `to` is required: an upload may send its target language alone."""

    to = forms.CharField(max_length=40, label=_("To"))
    spoken = forms.CharField(max_length=40, required=False, label=_("From"))
    look = forms.ChoiceField(choices=LOOKS, required=False, label=_("Style"))
    size = forms.ChoiceField(choices=SIZES, required=False, label=_("Text size"))
    position = forms.ChoiceField(choices=POSITIONS, required=False, label=_("Position"))
    colours = forms.ChoiceField(choices=COLOURS, required=False, label=_("Colours"))
    speakers = forms.CharField(max_length=10, required=False, label=_("Speakers"))
    mode = forms.ChoiceField(choices=MODES, required=False, label=_("Subtitles"))
    formality = forms.ChoiceField(choices=TONES, required=False, label=_("Tone"))
    bilingual = forms.BooleanField(required=False, label=_("Show both languages"))
    audio_track = forms.CharField(max_length=40, required=False, label=_("Sound track"))
    words = forms.CharField(max_length=60, required=False, label=_("Source of the words"))
    subtitle_track = forms.CharField(max_length=40, required=False, label=_("Subtitle track"))
    topic = forms.CharField(max_length=300, required=False, label=_("What is the video about?"))
    reads_first = forms.BooleanField(required=False, label=_("Make a brief first"))
    careful = forms.BooleanField(required=False, label=_("Careful translation"))
    brief = forms.CharField(max_length=50_000, required=False, widget=forms.Textarea, label=_("Your own brief"))
    saved_glossary = forms.CharField(max_length=20, required=False, label=_("Saved glossary"))
    glossary = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea, label=_("Glossary"))
    subtitles = forms.FileField(required=False, label=_("Your own subtitle file"))
    subtitles_are = forms.ChoiceField(choices=SUBTITLES, required=False, label=_("What to do with this file"))
    whole_subtitles = forms.BooleanField(required=False, label=_("Keep long subtitles of this file whole"))
    unrepaired_subtitles = forms.BooleanField(required=False, label=_("Do not repair the text of this file"))
    keep_running = forms.BooleanField(required=False, label=_("Keep running when I leave"))

    def __init__(self, *args: Any, owner: Any = None, **kwargs: Any) -> None:
        self._owner = owner
        super().__init__(*args, **kwargs)

    def clean_to(self) -> str:
        """The code of the target language. Raises ValidationError."""
        return _code(self.cleaned_data["to"])

    def clean_spoken(self) -> str:
        """The code of the spoken language; empty for detection. Raises ValidationError."""
        return _code(self.cleaned_data["spoken"]) if self.cleaned_data["spoken"] else ""

    def clean_speakers(self) -> Speakers:
        """Whether speakers are told apart. Raises ValidationError."""
        with as_validation_error():
            return parse_speakers(self.cleaned_data["speakers"])

    def clean_audio_track(self) -> str:
        """The number of the sound track, or the code of its language; empty for none. Raises ValidationError."""
        with as_validation_error():
            return audio_track(self.cleaned_data["audio_track"])

    def clean_words(self) -> str:
        """The source of the words, as `words.parse_words` returns it. Raises ValidationError."""
        with as_validation_error():
            return words.parse_words(self.cleaned_data["words"])

    def clean_subtitle_track(self) -> str:
        """The number of the subtitle track, or the code of its language; empty for none. Raises ValidationError."""
        with as_validation_error():
            return audio_track(self.cleaned_data["subtitle_track"])

    def clean_glossary(self) -> glossaries.Entries:
        """The terms of this job. Raises ValidationError."""
        with as_validation_error():
            return glossaries.from_lines(self.cleaned_data["glossary"].splitlines(), str(self.fields["glossary"].label))

    def clean_saved_glossary(self) -> glossaries.Entries:
        """The terms of a saved glossary of the owner; empty for none. Raises ValidationError."""
        wanted = self.cleaned_data["saved_glossary"]
        if not wanted:
            return ()
        row = saved.of(self._owner).filter(pk=wanted).first() if self._owner and wanted.isdecimal() else None
        if row is None:
            raise forms.ValidationError(_("This glossary does not exist any more. Choose another one."))
        return saved.entries_of(row)

    def clean_brief(self) -> Document | None:
        """The owner's own brief; None without one. Raises ValidationError."""
        text = self.cleaned_data["brief"]
        with as_validation_error():
            return briefing.parse(text, str(self.fields["brief"].label)) if text.strip() else None

    def clean(self) -> dict[str, Any]:
        """Require the spoken language of a subtitle file that is to be translated."""
        found = self.cleaned_data
        if found.get("subtitles") and found.get("subtitles_are") != "use" and not found.get("spoken"):
            self.add_error("spoken", _("Choose the language of your subtitle file."))
        return found

    def job_options(self) -> JobOptions:
        """The options; call it on a valid form only."""
        found = self.cleaned_data
        brought = bool(found["subtitles"])
        terms = glossaries.merged(found["saved_glossary"], found["glossary"])
        finished = brought and found["subtitles_are"] == "use"
        return JobOptions(
            target=found["to"],
            spoken=None if finished else found["spoken"] or None,
            brought=brought,
            whole_subtitles=found["whole_subtitles"],
            unrepaired_subtitles=found["unrepaired_subtitles"],
            style=Style(**{name: found[name] for name in ("look", "size", "position", "colours") if found[name]}),
            bilingual=found["bilingual"],
            mode=found["mode"] or "burn",
            formality=found["formality"] or "auto",
            speakers=found["speakers"],
            glossary=glossaries.pairs(terms),
            notes=glossaries.notes(terms),
            reads_first=found["reads_first"] and not found["brief"],
            careful=found["careful"],
            topic=found["topic"],
            audio_track=found["audio_track"],
            words=f"{words.SUBTITLES}:{found['subtitle_track']}" if found["subtitle_track"] else found["words"],
            transcriber=settings.TRANSCRIBER,
            translator=settings.TRANSLATOR,
        )

    def job_fields(self) -> dict[str, Any]:
        """Further fields of the job: whether it keeps running, and the owner's own brief."""
        document = self.cleaned_data["brief"]
        return {
            "keep_running": self.cleaned_data["keep_running"],
            "brief": briefs.as_stored(document) if document else None,
        }

    def brought(self) -> Brought | None:
        """The uploaded subtitle file; None without one. Raises SubtitlesError."""
        return parse_subtitles(self.job_options(), self.cleaned_data["subtitles"])


class NewJobForm(JobOptionsForm):
    """A new job from the front page: a link, the sample, or the name and size in bytes of a file to be uploaded."""

    source = forms.ChoiceField(choices=[(name, name) for name in ("upload", "link", "sample")])
    link = forms.CharField(max_length=2000, required=False, label=_("Link"))
    name = forms.CharField(max_length=255, required=False, label=_("File"))
    bytes = forms.IntegerField(min_value=0, required=False)

    def clean(self) -> dict[str, Any]:
        """Require a valid link, or the name and size of a file."""
        found = super().clean()
        match found.get("source"):
            case "link":
                with _errors_on(self, "link"):
                    check_link(found.get("link", ""))
            case "upload" if not found.get("name") or not found.get("bytes"):
                self.add_error("name", EMPTY)
        return found


class UploadForm(forms.Form):
    """The name and the size in bytes of a file to be uploaded."""

    name = forms.CharField(max_length=255, label=_("File"))
    bytes = forms.IntegerField(min_value=1, error_messages={"min_value": EMPTY})


class CapForm(forms.Form):
    """The new cap of a paused job: in money, or in tokens."""

    max_cost = forms.DecimalField(
        min_value=Decimal("0.01"), max_digits=12, decimal_places=2, required=False, label=_("New limit")
    )
    max_tokens = forms.IntegerField(min_value=1, max_value=10**12, required=False, label=_("New limit"))

    def caps(self) -> dict[str, Any]:
        """The fields of the job that change."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


def parse_subtitles(options: JobOptions, file: UploadedFile[bytes] | None) -> Brought | None:
    """An uploaded subtitle file; None without one. Raises SubtitlesError."""
    return None if file is None else parse_brought(options, file.read(MAX_BYTES + 1), file.name or "")


def _code(given: str) -> str:
    with as_validation_error():
        return language(given).code


@contextmanager
def as_validation_error() -> Iterator[None]:
    """Turn a PipelineError into a ValidationError, so that the form shows it beside the field."""
    try:
        yield
    except PipelineError as error:
        raise forms.ValidationError(sentence_of(error)) from None


@contextmanager
def _errors_on(form: forms.Form, field: str) -> Iterator[None]:
    """Add a PipelineError to the errors of `field`."""
    try:
        with as_validation_error():
            yield
    except forms.ValidationError as wrong:
        form.add_error(field, wrong)
