"""The settings, read from environments of the tests."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parents[1]

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings of an environment that holds these variables and nothing else."""

    def reading(**variables: str) -> dict[str, Any]:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in {"SECRET_KEY": "s", "ENV_FILE": "", **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "translator" / "settings.py"))

    return reading


def test_an_unset_secret_fails_loudly(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
        read(SECRET_KEY="")


def test_debugging_needs_no_secret(read: Read) -> None:
    settings = read(SECRET_KEY="", DEBUG="1")
    assert settings["DEBUG"]
    assert "only-for-debugging" in settings["SECRET_KEY"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("True", True), (" yes ", True), ("on", True), ("0", False), ("", False), ("no", False)],
)
def test_a_flag(read: Read, text: str, value: bool) -> None:
    assert read(DEBUG=text)["DEBUG"] is value


def test_the_defaults_are_safe(read: Read) -> None:
    settings = read()
    assert settings["DEBUG"] is False
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost"]
    assert settings["LINK_TEST_HOSTS"] == ()
    assert (settings["TRANSCRIBER"], settings["TRANSLATOR"]) == ("auto", "auto")


def test_https_closes_what_it_can(read: Read) -> None:
    settings = read(HTTPS="1", ALLOWED_HOSTS="a.example, b.example")
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://a.example", "https://b.example"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0


# Numbers


@pytest.mark.parametrize("value", ["-1", "61", "a fifth"])
def test_the_margin_of_tall_pictures_is_a_share_of_the_height(read: Read, value: str) -> None:
    assert read(PORTRAIT_MARGIN="35")["PORTRAIT_MARGIN"] == 35
    with pytest.raises(ImproperlyConfigured, match="PORTRAIT_MARGIN must be"):
        read(PORTRAIT_MARGIN=value)


@pytest.mark.parametrize("name", ["MAX_MEGABYTES", "MAX_MINUTES", "MAX_PIXELS"])
def test_a_number_that_is_none(read: Read, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name} must be a whole number, not “many”"):
        read(**{name: "many"})


def test_the_limits_of_a_video(read: Read) -> None:
    settings = read(MAX_MEGABYTES="10", MAX_MINUTES=" 5 ", MAX_PIXELS="")
    assert (settings["MAX_BYTES"], settings["MAX_SECONDS"]) == (10 * 1024 * 1024, 300)
    assert settings["MAX_PIXELS"] == 3840 * 2160


# Engines


def test_the_options_of_the_engines(read: Read) -> None:
    options = read(GEMINI_API_KEY="k", GEMINI_TIMEOUT="7.5", WHISPERX_BATCH_SIZE="3", WHISPERX_ALIGN="no")[
        "ENGINE_OPTIONS"
    ]
    assert (options["gemini"].api_key, options["gemini"].timeout) == ("k", 7.5)
    assert (options["whisperx"].batch_size, options["whisperx"].align) == (3, False)
    assert options["openai_compatible"] == type(options["openai_compatible"])()


def test_a_key_does_not_show_itself(read: Read) -> None:
    assert "very-secret" not in repr(read(GEMINI_API_KEY="very-secret")["ENGINE_OPTIONS"])


def test_a_number_of_an_engine_that_is_none(read: Read) -> None:
    with pytest.raises(ImproperlyConfigured, match="GEMINI_TIMEOUT must be a number, not “soon”"):
        read(GEMINI_TIMEOUT="soon")


# The database


def test_sqlite_waits_for_its_turn(read: Read) -> None:
    database = read()["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert database["NAME"] == str(ROOT / "db.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] >= 5
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_any_database_by_its_address(read: Read) -> None:
    database = read(DATABASE_URL="postgres://me:pass@db.example:5433/zirnevis")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "zirnevis")
    assert "transaction_mode" not in database.get("OPTIONS", {})


@pytest.mark.django_db
def test_the_pragmas_are_in_force() -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("another database is in use")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (1,)
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)


# The file


def test_the_file_is_read_and_the_environment_wins(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("SECRET_KEY=from-file\nGEMINI_API_KEY='of # file'\nMAX_MINUTES=7\nNOTHING\n")
    settings = read(ENV_FILE=str(file), SECRET_KEY="from-environment")
    assert settings["SECRET_KEY"] == "from-environment"
    assert settings["MAX_SECONDS"] == 7 * 60
    assert settings["ENGINE_OPTIONS"]["gemini"].api_key == "of # file"


def test_a_file_that_is_not_there_is_no_matter(read: Read, tmp_path: Path) -> None:
    assert read(ENV_FILE=str(tmp_path / "none"))["SECRET_KEY"] == "s"


def test_no_setting_shows_a_key(read: Read) -> None:
    """`manage.py diffsettings` and technical error pages print every setting."""
    settings = read(GEMINI_API_KEY="very-secret-key", GEMINI_PROXY="http://user:very-secret-key@host:1")
    assert not [name for name, value in settings.items() if name.isupper() and "very-secret-key" in repr(value)]
