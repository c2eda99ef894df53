"""The owner of the command line's jobs: a user who cannot sign in, and never a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from jobs.models import Job
from jobs.monitoring import doctor
from jobs.worker import in_process
from tests.jobs.command import translate
from tests.pipeline.clips import Clips

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "geese-on-the-roof"


def owner_of_a_job(clips: Clips, persian: Path, output: Path, *more: object) -> User:
    ran = translate(
        *(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--no-video", "--output", output), *more
    )
    assert ran.code == 0, ran.err
    return User.objects.get(pk=Job.objects.get().owner_id)


def test_nobody_can_sign_in_as_the_command(
    clips: Clips, persian: Path, output: Path, settings: Any, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there
    settings.EMAIL_HOST = "mail.test"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    owner = owner_of_a_job(clips, persian, output)
    assert owner.username == in_process.COMMAND
    assert not owner.is_active
    assert not owner.has_usable_password()
    User.objects.filter(pk=owner.pk).update(email="command@example.org")
    Client().post("/account/reset/", {"email": "command@example.org"})
    assert mail.outbox == []
    owner.set_password(PASSWORD)  # if somebody set one all the same
    owner.save()
    assert authenticate(username=owner.username, password=PASSWORD) is None


def test_that_of_an_earlier_version(clips: Clips, persian: Path, output: Path) -> None:
    made = User.objects.create_user(in_process.COMMAND)
    assert made.is_active
    owner = owner_of_a_job(clips, persian, output, "--owner", in_process.COMMAND)
    assert owner.pk == made.pk
    assert not owner.is_active


@pytest.mark.parametrize(
    "kind", [{"password": PASSWORD}, {"is_staff": True}, {"last_login": timezone.now()}, {"is_superuser": True}]
)
def test_a_person_who_signed_up_with_that_name(kind: dict[str, Any]) -> None:
    """A person with the name from before it was reserved keeps the account and gets no job of the command line."""
    person = User.objects.create_user(in_process.COMMAND, **kind)
    owner = in_process.owner()
    assert owner.pk != person.pk
    assert not owner.is_active
    assert not owner.has_usable_password()
    person.refresh_from_db()
    assert person.is_active
    with pytest.raises(ValidationError):  # no form lets anybody take that name
        User.username_validator(owner.username)
    assert in_process.owner() == owner
    told = [finding for finding in doctor.examine() if finding.subject == "Names"]
    assert ["“command” is the name of a person" in finding.detail for finding in told] == [True]


def test_the_doctor_says_nothing_of_names_that_are_all_right() -> None:
    in_process.owner()
    assert [finding for finding in doctor.examine() if finding.subject == "Names"] == []
