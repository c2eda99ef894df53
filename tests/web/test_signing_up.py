"""Tests of names that are refused at sign-up: reserved ones and lookalikes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from jobs.web.usernames import is_taken

pytestmark = pytest.mark.django_db

RESERVED = {
    "command": [
        "command",
        "Command",
        "COMMAND",
        "cоmmand",
        "соmmаnd",
        "ｃｏｍｍａｎｄ",
        "𝐜𝐨𝐦𝐦𝐚𝐧𝐝",
        "ᴄᴏᴍᴍᴀɴᴅ",
        "c0mmand",
        "com.mand",
    ],
    "more of it": ["_command_", "cornmand", "cómmand", "command.", "ⲥommand", "comm@nd"],
    "system": ["system", "SYSTEM", "ѕуѕtеm", "sy5tem", "ЅУЅТЕМ", "ｓystem", "sÿstem", "syst3m"],
    "presence": ["presence", "Presence", "рrеѕеnсе", "presénce", "pre-sence"],
    "admin": ["admin", "Admin", "аdmin", "аԁміп", "admın", "ɑdmin", "@dmin", "adm1n", "αdmin", "ａｄｍｉｎ", "ad_min"],
    "others": ["administrator", "root", "r00t", "staff", "support", "zirnevis", "مدیر", "مدير", "سيستم", "پشتیبانی"],
}
FREE = [
    "omid",
    "sara.k",
    "commander",
    "systematic",
    "Олег",
    "Γιώργος",
    "علی",
    "مریم",
    "Ålesund",
    "naïve",
    "rooty",
    "李雷",
]


def sign_up(name: str) -> Client:
    client = Client()
    fields = {"username": name, "password1": "geese-on-the-roof", "password2": "geese-on-the-roof"}
    client.post("/sign-up/", fields)
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture(autouse=True)
def open_to_all(settings: Any, tmp_path: Any) -> None:
    settings.SIGN_UP = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.parametrize("kind", RESERVED)
def test_a_name_of_the_site_itself(kind: str) -> None:
    signed = {name for name in RESERVED[kind] if is_in(sign_up(name))}
    assert signed == set()
    assert not User.objects.exists()


def test_the_page_says_why() -> None:
    fields = {"username": "commаnd", "password1": "geese-on-the-roof", "password2": "geese-on-the-roof"}
    assert "This name is reserved" in Client().post("/sign-up/", fields).content.decode()
    page = Client().post("/sign-up/", fields, headers={"Accept-Language": "fa"}).content.decode()
    assert "این نام کاربری" in page


@pytest.mark.parametrize("name", FREE)
def test_any_other_name(name: str) -> None:
    assert is_in(sign_up(name))


@pytest.mark.parametrize("name", ["omidжan", "αlpha", "աlpha", "pаypal"])
def test_letters_of_two_scripts(name: str) -> None:
    assert not is_in(sign_up(name))


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("omid", "Omid"),
        ("omid", "ｏｍｉｄ"),
        ("Straße", "STRASSE"),
        ("ÖZLEM", "özlem"),
        ("Олег", "ОЛЕГ"),
        ("ﷲ", "الله"),
    ],
)
def test_the_name_of_another_person(there: str, name: str) -> None:
    User.objects.create_user(there)
    assert not is_in(sign_up(name))


@pytest.mark.parametrize("name", ["mína", "mina", "Mina", "m1na", "rnina", "мiпа", "ｍｉｎａ", "mına"])
def test_what_looks_like_the_name_of_staff(name: str) -> None:
    User.objects.create_user("mina", is_staff=True)
    assert not is_in(sign_up(name))
    assert is_in(sign_up("minas"))


def test_people_may_have_names_that_resemble_each_other() -> None:
    User.objects.create_user("mina")
    assert is_in(sign_up("mína"))


def test_what_nobody_sees_makes_no_other_name() -> None:
    """Forms refuse it anyway; a name of the admin's may hold it."""
    assert is_taken("omid", [("om\u200cid", False)])
    assert is_taken("om\u200bid\ufeff", [("omid", False)])


def test_who_runs_the_site_may_be_called_admin(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("first_admin")
    assert User.objects.get().username == "admin"
    call_command("createsuperuser", username="root", email="", interactive=False)
    assert User.objects.filter(username="root", is_superuser=True).exists()
