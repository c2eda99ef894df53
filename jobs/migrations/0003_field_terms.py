"""The field's terms for rows and columns, and codes instead of English sentences for reasons and notes.

Renames come first, so that the conversion reads by the new names. A reason that is not known stays as it is, shortened
to what the column takes; a note that is not known becomes its sentence, with the parameters filled in.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import migrations, models
from django_q.models import OrmQ

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
    _convert(apps, REASONS, "sentence", "code", lambda note: NOTES.get(note["sentence"]) or _filled_in(note))
    _shorten(apps)


def to_sentences(apps: Any, schema_editor: Any) -> None:
    reasons = {code: sentence for sentence, code in REASONS.items()}
    notes = {code: sentence for sentence, code in NOTES.items()}
    _convert(apps, reasons, "code", "sentence", lambda note: notes.get(note["code"], note["code"]))


def _convert(
    apps: Any, reasons: dict[str, str], old_key: str, new_key: str, converted: Callable[[dict[str, Any]], str]
) -> None:
    transitions = apps.get_model("jobs", "Transition").objects
    for old, new in reasons.items():
        transitions.filter(reason=old).update(reason=new)
    jobs = apps.get_model("jobs", "Job").objects
    for job in jobs.exclude(notes=[]).only("notes").iterator():
        job.notes = [
            {new_key: converted(note), "params": note["params"]} if old_key in note else note for note in job.notes
        ]
        job.save(update_fields=["notes"])


def _filled_in(note: dict[str, Any]) -> str:
    """The sentence of a note, as it was shown before."""
    try:
        return str(note["sentence"].format(**note["params"]))
    except (LookupError, ValueError):
        return str(note["sentence"])


def _shorten(apps: Any) -> None:
    for row in apps.get_model("jobs", "Transition").objects.only("reason").iterator():
        if len(row.reason) > MOST:
            row.reason = row.reason[:MOST]
            row.save(update_fields=["reason"])


def move_schedule(apps: Any, schema_editor: Any) -> None:
    """Give the hourly cleanup its new path, and delete waiting tickets for the old one, which could only fail.

    A ticket that cannot be read, since it was signed with another SECRET_KEY, stays: its cluster throws it away.
    """
    schedules, queued = apps.get_model("django_q", "Schedule").objects, apps.get_model("django_q", "OrmQ").objects
    schedules.filter(func="jobs.cleanup.scheduled").update(func="jobs.storage.retention.scheduled")
    for row in queued.all():
        if OrmQ(payload=row.payload).func() == "jobs.cleanup.scheduled":
            row.delete()


def rename_permissions(apps: Any, schema_editor: Any) -> None:
    """Let staff who could see workers see processes: Django renames the content type, not its permissions."""
    _rename_permissions(apps, "worker", "process")


def restore_permissions(apps: Any, schema_editor: Any) -> None:
    _rename_permissions(apps, "process", "worker")


def _rename_permissions(apps: Any, old: str, new: str) -> None:
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="jobs")
    for action in ("add", "change", "delete", "view"):
        if not permissions.filter(codename=f"{action}_{new}").exists():
            renamed = {"codename": f"{action}_{new}", "name": f"Can {action} {new}"}
            permissions.filter(codename=f"{action}_{old}").update(**renamed)


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_names_sample_busy"),
        ("auth", "0001_initial"),
        ("contenttypes", "0001_initial"),
        ("django_q", "0007_ormq"),
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
        migrations.RunPython(rename_permissions, restore_permissions),
    ]
