"""The field's terms for rows and columns, and codes instead of English sentences for reasons and notes.

Renames come first, so that the conversion reads by the new names. An old sentence that is not known stays as it is,
shortened to what the column takes.
"""

from typing import Any

from django.conf import settings
from django.db import migrations, models

REASONS = {
    "the last page was closed": "pages_closed",
    "no page gave a sign of life": "no_sign_of_life",
    "the command was killed": "command_killed",
    "the command was interrupted": "command_interrupted",
    "the upload was never finished": "upload_expired",
    "the upload was taken back": "upload_withdrawn",
}
NOTES = {
    "There is sound but no picture: only subtitles are made.": "sound_only",
    "The subtitles are in {language} already: translation is skipped.": "subtitles_in_target",
    "The speech is in {language} already: translation is skipped.": "speech_in_target",
}
MOST = 64


def to_codes(apps: Any, schema_editor: Any) -> None:
    _convert(apps, REASONS, "sentence", "code", NOTES)
    _shorten(apps)


def to_sentences(apps: Any, schema_editor: Any) -> None:
    reasons = {code: sentence for sentence, code in REASONS.items()}
    notes = {code: sentence for sentence, code in NOTES.items()}
    _convert(apps, reasons, "code", "sentence", notes)


def _convert(apps: Any, reasons: dict[str, str], old_key: str, new_key: str, notes: dict[str, str]) -> None:
    transitions = apps.get_model("jobs", "Transition").objects
    for old, new in reasons.items():
        transitions.filter(reason=old).update(reason=new)
    jobs = apps.get_model("jobs", "Job").objects
    for job in jobs.exclude(notes=[]).only("notes").iterator():
        job.notes = [
            {new_key: notes.get(note[old_key], note[old_key]), "params": note["params"]} if old_key in note else note
            for note in job.notes
        ]
        job.save(update_fields=["notes"])


def _shorten(apps: Any) -> None:
    for row in apps.get_model("jobs", "Transition").objects.only("reason").iterator():
        if len(row.reason) > MOST:
            row.reason = row.reason[:MOST]
            row.save(update_fields=["reason"])


def move_schedule(apps: Any, schema_editor: Any) -> None:
    """The hourly cleanup has another path; a ticket for the old one that already waits would only fail."""
    from django_q.models import OrmQ, Schedule

    Schedule.objects.filter(func="jobs.cleanup.scheduled").update(func="jobs.storage.retention.scheduled")
    for row in OrmQ.objects.all():
        if row.func() == "jobs.cleanup.scheduled":
            row.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_names_sample_busy"),
        ("django_q", "__latest__"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel(old_name="Worker", new_name="Process"),
        migrations.AlterModelOptions(
            name="process", options={"verbose_name": "process", "verbose_name_plural": "processes"}
        ),
        migrations.RenameIndex(model_name="process", old_name="worker_by_cluster", new_name="process_by_cluster"),
        migrations.RenameField(model_name="job", old_name="order", new_name="options"),
        migrations.RenameField(model_name="stagerun", old_name="tries", new_name="attempts"),
        migrations.RenameField(model_name="transition", old_name="was", new_name="from_status"),
        migrations.RenameField(model_name="transition", old_name="now", new_name="to_status"),
        migrations.RenameField(model_name="transition", old_name="who", new_name="actor"),
        migrations.RenameField(model_name="transition", old_name="why", new_name="reason"),
        migrations.RunPython(to_codes, to_sentences),
        migrations.AlterField(
            model_name="transition",
            name="reason",
            field=models.CharField(blank=True, help_text="a Reason, or the code of an error", max_length=64),
        ),
        migrations.RunPython(move_schedule, migrations.RunPython.noop),
    ]
