"""Languages: codes, names, directions and limits."""

from __future__ import annotations

import pytest
from babel.localedata import locale_identifiers

from jobs.pipeline.errors import UnknownLanguage
from jobs.pipeline.text.languages import language

RIGHT_TO_LEFT = ("ar", "fa", "he", "ur", "ps", "ckb", "yi", "dv", "ug", "sd", "ks")

WHISPER = frozenset(
    (  # noqa: SIM905 (a hundred strings are no easier to read)
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la "
        "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be "
        "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
    ).split()
)
"""The codes of Whisper's tokenizer."""


def test_every_locale_has_a_name_a_direction_a_script_and_numbers() -> None:
    for identifier in locale_identifiers():
        found = language(identifier)
        assert found.name, identifier
        assert found.direction in {"ltr", "rtl"}, identifier
        assert len(found.script) == 4, identifier
        assert found.line_length in {13, 16, 42}, identifier
        assert 4 <= found.reading_speed <= 20, identifier


def test_every_language_of_whisper_is_known() -> None:
    """Raises UnknownLanguage with the code for an unknown one."""
    assert [code for code in sorted(WHISPER) if not language(code).name] == []


@pytest.mark.parametrize("code", RIGHT_TO_LEFT)
def test_right_to_left(code: str) -> None:
    assert language(code).direction == "rtl"


@pytest.mark.parametrize("code", ["en", "es", "ja", "zh", "ru", "th", "ku", "sr-Latn"])
def test_left_to_right(code: str) -> None:
    assert language(code).direction == "ltr"


@pytest.mark.parametrize(
    ("code", "line_length", "reading_speed"),
    [
        ("en", 42, 20.0),
        ("fa", 42, 17.0),
        ("ar", 42, 20.0),
        ("es", 42, 17.0),
        ("zh", 16, 9.0),
        ("zh-TW", 16, 9.0),
        ("ko", 16, 12.0),
        ("ja", 13, 4.0),
        ("en-GB", 42, 20.0),
    ],
)
def test_the_numbers_of_the_guides(code: str, line_length: int, reading_speed: float) -> None:
    assert (language(code).line_length, language(code).reading_speed) == (line_length, reading_speed)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("fa", "fa"),
        ("FA", "fa"),
        (" fa ", "fa"),
        ("Persian", "fa"),
        ("farsi", "fa"),
        ("english", "en"),
        ("Chinese", "zh"),
        ("pt-BR", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("iw", "he"),
        ("jw", "jv"),
        ("zh-TW", "zh-TW"),
    ],
)
def test_codes_and_english_names(wanted: str, code: str) -> None:
    assert language(wanted).code == code


def test_names() -> None:
    assert language("fa").name == "Persian"
    assert language("de").name == "German"


@pytest.mark.parametrize(
    ("code", "script"), [("fa", "Arab"), ("zh", "Hans"), ("zh-TW", "Hant"), ("ja", "Jpan"), ("th", "Thai")]
)
def test_scripts(code: str, script: str) -> None:
    assert language(code).script == script


@pytest.mark.parametrize("wanted", ["", " ", "klingonish", "xx", "123", "../en", "en-", "en\0", "x" * 500, "{}"])
def test_what_is_no_language_is_named_in_the_error(wanted: str) -> None:
    with pytest.raises(UnknownLanguage) as caught:
        language(wanted)
    assert caught.value.params == {"language": wanted}


@pytest.mark.parametrize("code", ["fa-IR./../../evil", "fa.utf8", "en_US@../x", "fa/..", "f", "fa-", ""])
def test_what_only_begins_like_a_code(code: str) -> None:
    with pytest.raises(UnknownLanguage):
        language(code)


def test_bokmal_is_the_norwegian_that_engines_know() -> None:
    assert language("nb").code == language("Norwegian").code == "no"
