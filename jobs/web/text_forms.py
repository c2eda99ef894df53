"""Forms of saved glossaries and of a job's brief."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs import glossaries
from jobs.models import Glossary
from jobs.pipeline.errors import GlossaryTooLong
from jobs.pipeline.protocols import Document
from jobs.pipeline.text import briefing, glossary
from jobs.web.forms import as_validation_error

_AREA = {"dir": "auto", "rows": "12"}
_SMALL_AREA = {"dir": "auto", "rows": "2"}


NAME_TAKEN = _("You have a glossary with this name already. Choose another name.")


class GlossaryForm(forms.Form):
    """The name and the terms of a glossary; those of a file are added to the lines, and stand above them."""

    name = forms.CharField(max_length=100, label=_("Name"), widget=forms.TextInput(attrs={"dir": "auto"}))
    lines = forms.CharField(
        required=False,
        max_length=glossary.MAX_BYTES,
        label=_("Terms"),
        widget=forms.Textarea(attrs=_AREA),
        help_text=_(
            "One term per line: term = translation. Without a translation the term stays as it is. A note may follow "
            "after “ # ”."
        ),
    )
    file = forms.FileField(
        required=False,
        label=_("Add terms from a file"),
        help_text=_("CSV with the columns term, translation and note, as spreadsheets save it, or a text file."),
    )

    def __init__(self, *args: Any, owner: Any, row: Glossary | None = None, **kwargs: Any) -> None:
        self._owner, self._row = owner, row
        if row:
            kwargs["initial"] = {"name": row.name, "lines": glossary.as_lines(glossaries.entries_of(row))}
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        """The name. Raises ValidationError when another glossary of the user has it."""
        name = " ".join(self.cleaned_data["name"].split())
        others = glossaries.of(self._owner).exclude(pk=self._row.pk if self._row else 0)
        if others.filter(name=name).exists():
            raise forms.ValidationError(NAME_TAKEN)
        return name

    def clean(self) -> dict[str, Any]:
        """Parse the lines and the file into `entries`, and check the number of glossaries."""
        found = super().clean() or {}
        entries = list[glossary.Entries]()
        for field, read in (("lines", self._lines), ("file", self._file)):
            try:
                with as_validation_error():
                    entries.append(read())
            except forms.ValidationError as wrong:
                self.add_error(field, wrong)
        found["entries"] = glossary.merged(*entries)
        if len(found["entries"]) > glossary.MAX_TERMS and not self.errors:
            with as_validation_error():
                raise GlossaryTooLong(name=found["name"], limit=glossary.MAX_TERMS)
        if self._row is None and glossaries.of(self._owner).count() >= glossaries.MOST:
            raise forms.ValidationError(_("You have too many glossaries. Delete one that you do not need any more."))
        return found

    def _lines(self) -> glossary.Entries:
        lines = self.cleaned_data.get("lines", "").splitlines()
        return glossary.from_lines(lines, str(self.fields["lines"].label))

    def _file(self) -> glossary.Entries:
        file = self.cleaned_data.get("file")
        return glossary.read(file.read(glossary.MAX_BYTES + 1), file.name or "") if file else ()

    def saved(self) -> Glossary | None:
        """Store the glossary; None, with an error, when another one got its name in the meantime."""
        try:
            with transaction.atomic():
                return self._save()
        except IntegrityError:
            self.add_error("name", NAME_TAKEN)
            return None

    def _save(self) -> Glossary:
        found = self.cleaned_data
        row = self._row or Glossary(owner=self._owner)
        row.name, row.entries = found["name"], glossaries.as_stored(found["entries"])
        row.changed = timezone.now()
        row.save()
        return row


class BriefForm(forms.Form):
    """The brief of a job, in fields. `revision` is the one that the person saw."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    topic = forms.CharField(
        required=False, max_length=briefing.MAX_TEXT, label=_("Topic"), widget=forms.Textarea(attrs=_SMALL_AREA)
    )
    register = forms.CharField(
        required=False,
        max_length=briefing.MAX_TEXT,
        label=_("How people speak"),
        widget=forms.Textarea(attrs=_SMALL_AREA),
    )
    names = forms.CharField(
        required=False,
        label=_("Names"),
        widget=forms.Textarea(attrs=_AREA),
        help_text=_("One per line: name = translation. Without a translation it stays as it is."),
    )
    terms = forms.CharField(
        required=False,
        label=_("Terms"),
        widget=forms.Textarea(attrs=_AREA),
        help_text=_("One per line: term = translation. Without a translation it stays as it is."),
    )

    def clean_names(self) -> tuple[tuple[str, str], ...]:
        """The names. Raises ValidationError."""
        return self._pairs("names")

    def clean_terms(self) -> tuple[tuple[str, str], ...]:
        """The terms. Raises ValidationError."""
        return self._pairs("terms")

    def _pairs(self, field: str) -> tuple[tuple[str, str], ...]:
        label = str(self.fields[field].label)
        with as_validation_error():
            found = glossary.pairs(glossary.from_lines(self.cleaned_data[field].splitlines(), label))
            if len(found) > briefing.MAX_TERMS:
                raise GlossaryTooLong(name=label, limit=briefing.MAX_TERMS)
        return found

    def document(self) -> Document:
        """The brief, which the person has signed with it; call it on a valid form only."""
        found = self.cleaned_data
        return Document(
            topic=" ".join(found["topic"].split()),
            register=" ".join(found["register"].split()),
            names=found["names"],
            terms=found["terms"],
            edited=True,
        )


def brief_form(document: Document | None, revision: int) -> BriefForm:
    """A form that shows a document."""
    shown = document or Document()
    return BriefForm(
        initial={
            "revision": revision,
            "topic": shown.topic,
            "register": shown.register,
            "names": briefing.as_lines(shown.names),
            "terms": briefing.as_lines(shown.terms),
        }
    )
