"""The first visit: a link that works once, and no default password."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

pytestmark = pytest.mark.django_db


def said() -> str:
    out = StringIO()
    call_command("first_admin", address="http://127.0.0.1:8000", stdout=out)
    return out.getvalue()


def link() -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", said())
    assert found
    return found[1]


def test_it_lets_in_once() -> None:
    address = link()
    client = Client()
    form = client.get(address, follow=True).redirect_chain[-1][0]
    answer = client.post(form, {"new_password1": "geese-on-the-roof", "new_password2": "geese-on-the-roof"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/admin/").status_code == 200
    assert "already been used" in Client(headers={"Accept-Language": "en"}).get(address, follow=True).content.decode()
    assert said() == ""


def test_until_it_was_used_it_is_said_again() -> None:
    assert link()
    assert link()
    assert not User.objects.get().has_usable_password()


def test_who_administers_already_needs_none() -> None:
    User.objects.create_superuser("sara", password="geese-on-the-roof")
    assert said() == ""
    assert not User.objects.filter(username="admin").exists()


def test_a_user_who_happens_to_be_called_so_gets_no_rights() -> None:
    User.objects.create_user("admin")
    assert "createsuperuser" in said()
    assert not User.objects.get().is_superuser
