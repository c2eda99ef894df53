"""`manage.py translate` and money: the estimate, the cap, and the same command once more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.prices import parse_prices
from jobs.models import Call, Job, JobStatus, OwnerLimits
from jobs.worker import in_process
from jobs.worker.reaper import go_on_paused
from tests.engines.fake_llm_server import KEY, FakeServer
from tests.jobs.command import translate
from tests.pipeline.clips import Clips

pytestmark = pytest.mark.django_db(transaction=True)

BY_MODEL = ("--to", "fa", "--from", "en", "--translator", "openai_compatible", "--no-video")


@pytest.fixture
def model(settings: Any) -> Iterator[FakeServer]:
    """A service with a price, which gets two lines in each request."""
    with FakeServer(tokens=(1000, 200)) as server:
        given = {"base_url": f"{server.url}/v1", "model": "small", "api_key": KEY, "batch_lines": 2}
        options = replace(settings.ENGINE_OPTIONS["openai_compatible"], **given)
        settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "openai_compatible": options}
        settings.PRICES = parse_prices("small=10/100", "USD")
        yield server


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """Subtitles of six lines: three requests of 0.03."""
    place = tmp_path / "six.srt"
    lines = [f"{n}\n00:00:0{n - 1},000 --> 00:00:0{n - 1},900\nShe reads book number {n}.\n" for n in range(1, 7)]
    place.write_text("\n".join(lines))
    return place


def test_at_the_cap_the_command_ends_and_with_more_it_goes_on(
    clips: Clips, output: Path, six: Path, model: FakeServer
) -> None:
    command = (clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--output", output)
    ran = translate(*command, "--max-cost", "0.07")
    assert ran.code == 3
    paused, hint = ran.err.splitlines()
    assert paused.startswith("Paused: 0.06 USD of the limit of 0.07 USD for this job are used")
    assert hint == "The job is kept. Run the same command again when the limit is raised: it goes on."
    assert not output.exists()
    assert Job.objects.get().status == JobStatus.PAUSED
    assert model.ids() == [[1, 2], [3, 4]]
    again = translate(*command, "--max-cost", "0.5")
    assert (again.code, again.err) == (0, "")
    assert model.ids() == [[1, 2], [3, 4], [5, 6]], "nothing is asked for again"
    assert (Call.objects.count(), Job.objects.count()) == (3, 1)
    report = json.loads((output / "plain.report.json").read_text())
    assert report["cost"] == "0.09 USD"


@pytest.mark.parametrize("goes_on", [False, True], ids=["paused", "let go on by a reaper"])
def test_when_an_administrator_raised_the_limit_the_same_job_goes_on(
    clips: Clips, output: Path, six: Path, model: FakeServer, goes_on: bool
) -> None:
    command = (clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--output", output)
    limits = OwnerLimits.objects.create(owner=in_process.owner(), cost_a_job=Decimal("0.07"))
    assert translate(*command).code == 3
    limits.cost_a_job = Decimal("0.5")
    limits.save()
    if goes_on:
        go_on_paused()
        assert Job.objects.get().status == JobStatus.QUEUED
    again = translate(*command)
    assert (again.code, again.err, Job.objects.count()) == (0, "", 1)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]], "nothing is asked for again"


@pytest.mark.soak
def test_other_options_are_another_job_which_pays_for_no_line_again(
    clips: Clips, output: Path, six: Path, model: FakeServer
) -> None:
    command = (clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--output", output)
    assert translate(*command, "--max-cost", "0.07").code == 3
    other = translate(*command, "--style", "large", "--max-tokens", "100000")
    assert (other.code, Job.objects.count()) == (0, 2)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]]


def test_a_cap_as_json(clips: Clips, output: Path, six: Path, model: FakeServer) -> None:
    ran = translate(
        clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--output", output, "--max-tokens", "100", "--json"
    )
    assert ran.code == 3
    event = json.loads(ran.out.splitlines()[-1])
    assert (event["event"], event["code"]) == ("error", "JobCapReached")
    assert event["params"]["limit"] == "100 tokens"
    assert model.asked == []


# Estimates


def test_an_estimate_of_subtitles(clips: Clips, six: Path, model: FakeServer) -> None:
    ran = translate(clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--estimate")
    assert (ran.code, ran.err) == (0, "")
    length, tokens, cost = ran.out.splitlines()
    assert length.startswith("length: ")
    assert tokens.startswith("tokens: about 4,")
    assert cost.startswith("cost: about 0.0")
    assert cost.endswith(" USD (openai_compatible small)")
    assert (Job.objects.count(), model.asked) == (0, [])


def test_an_estimate_as_json(clips: Clips, six: Path, model: FakeServer) -> None:
    ran = translate(clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--estimate", "--json")
    event = json.loads(ran.out)
    assert (event["event"], event["currency"], event["model"]) == ("estimate", "USD", "small")
    price = (10 * event["input_tokens"] + 100 * event["output_tokens"]) / 1e6
    assert float(event["cost"]) == pytest.approx(price, abs=1e-5)


def test_a_model_without_a_price(clips: Clips, six: Path, model: FakeServer, settings: Any) -> None:
    settings.PRICES = {}
    ran = translate(clips["plain.mp4"], *BY_MODEL, "--subtitles", six, "--estimate")
    assert ran.out.splitlines()[-1].startswith("cost: not known: set the price in TRANSLATION_PRICES")


def test_what_costs_nothing(clips: Clips, persian: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--estimate")
    assert ran.out.splitlines()[1:] == ["tokens: about 0", "cost: nothing"]


def test_the_length_of_a_link_is_not_known(model: FakeServer) -> None:
    ran = translate("https://example.org/v", *BY_MODEL, "--estimate", "--transcriber", "pocketsphinx")
    assert ran.code == 1
    assert ran.err.startswith("The length of “https://example.org/v” is known only after the download.")


@pytest.mark.parametrize("wrong", ["0", "-1", "much", "nan", "inf"])
def test_a_cap_that_is_none(wrong: str) -> None:
    with pytest.raises(Exception, match="amount"):
        translate("v.mp4", "--to", "fa", f"--max-cost={wrong}")
