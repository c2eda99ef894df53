"""`manage.py translate` with briefs, careful translation and saved glossaries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import glossaries
from jobs.engines.gemini import spec as gemini
from jobs.models import Glossary, Job
from jobs.pipeline.text.glossary import Entry
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, good, saying
from tests.jobs import rows
from tests.jobs.command import Ran, translate
from tests.pipeline.clips import Clips

pytestmark = pytest.mark.django_db(transaction=True)

NOTED = {"topic": "موضوع", "register": "لحن", "names": "", "terms": "book = کتاب"}


def model(asked: Asked) -> Said:
    """Briefs, criticism with a remark on the first line, and translations."""
    if "transcript" in asked.question:
        return Said(text=json.dumps(NOTED))
    if found := asked.question.get("check"):
        return saying({number: "Too stiff." if int(number) == 1 else "ok" for number in found})
    if found := asked.question.get("revise"):
        return saying(dict.fromkeys(found, "کتاب خواند"))
    return good(asked)


@pytest.fixture
def server(settings: Any) -> Iterator[FakeServer]:
    with FakeServer() as found:
        found.behave(model)
        options = gemini.Options(api_key=KEY, endpoint=found.url)
        settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": options}
        yield found


def run(clips: Clips, output: Path, english: Path, *more: object) -> Ran:
    usual = ("--from", "en", "--to", "fa", "--subtitles", english, "--translator", "gemini", "--no-video")
    return translate(clips["plain.mp4"], *usual, "--output", output, *more)


def test_a_brief_is_made_saved_and_used_again(
    clips: Clips, output: Path, english: Path, tmp_path: Path, server: FakeServer
) -> None:
    saved = tmp_path / "talk.brief.txt"
    assert run(clips, output, english, "--save-brief", saved).code == 0
    assert saved.read_text() == "topic: موضوع\nregister: لحن\n\nnames:\n\nterms:\nbook = کتاب\n"
    assert [asked.question.get("names") for asked in server.asked] == [None, {"book": "کتاب"}]
    server.asked.clear()
    assert run(clips, output, english, "--brief", saved, "--save-brief", saved).code == 0
    assert all("transcript" not in asked.question for asked in server.asked)
    assert server.asked[0].question["glossary"] == {"book": "کتاب"}
    assert json.loads((output / "plain.report.json").read_text())["quality"]["totals"]["glossary"] == 1


@pytest.mark.soak
def test_a_careful_translation(clips: Clips, output: Path, english: Path, server: FakeServer) -> None:
    assert run(clips, output, english, "--careful").code == 0
    assert [next(iter(asked.question)) for asked in server.asked] == ["translate", "check", "revise"]
    assert "کتاب خواند" in (output / "plain.fa.srt").read_text()


@pytest.mark.soak
@pytest.mark.usefixtures("server")
def test_a_saved_glossary_below_that_of_a_file(clips: Clips, output: Path, english: Path, tmp_path: Path) -> None:
    owner = rows.owner("shirin")
    entries = (Entry(term="book", translation="دفتر"), Entry(term="park", translation="پارک"))
    Glossary.objects.create(owner=owner, name="Mine", entries=glossaries.as_stored(entries))
    (tmp_path / "words.csv").write_text("book;کتاب\n")
    more = ("--owner", "shirin", "--saved-glossary", "Mine", "--glossary", tmp_path / "words.csv")
    assert run(clips, output, english, *more).code == 0
    assert Job.objects.get().options["glossary"] == [["book", "کتاب"], ["park", "پارک"]]


def test_what_cannot_be_used_is_told_before_anything_starts(
    clips: Clips, output: Path, english: Path, tmp_path: Path, server: FakeServer
) -> None:
    (tmp_path / "bad.txt").write_text("nonsense")
    for more, sentence in (
        (("--brief", tmp_path / "bad.txt"), "Line 1 of “bad.txt” does not belong in a brief"),
        (("--save-brief", english), "would overwrite your file"),
        (("--save-brief", tmp_path / "none" / "x"), "does not exist"),
        (("--careful", "--translator", "apertium", "--to", "es"), "Apertium is none"),
    ):
        ran = run(clips, output, english, *more)
        assert (ran.code, server.asked) == (1, [])
        assert sentence in ran.err, ran.err
    assert not Job.objects.exists()
