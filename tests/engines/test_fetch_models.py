"""`manage.py fetch_models`: from a hub with all kinds of faults, or from a directory."""

from __future__ import annotations

import io
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from jobs.engines.whisperx import hub, models
from jobs.engines.whisperx.client import WhisperX
from jobs.engines.whisperx.spec import Options, readiness
from jobs.pipeline.protocols import SAMPLE_RATE, Hints, ignore_progress
from tests.engines.hearing import hear
from tests.engines.hub_server import FakeHub, running_hub
from tests.pipeline.sounds import SENTENCES, voice

TINY = "Systran/faster-whisper-tiny"
ENGLISH = "facebook/wav2vec2-base-960h"
CONTENT = {
    "README.md": b"not wanted",
    "config.json": b"{}",
    "model.bin": bytes(range(256)) * 1200,
    "tokenizer.json": b'{"version": "1.0"}',
    "vocabulary.txt": b"a\nb\n",
}


@pytest.fixture
def server() -> Iterator[FakeHub]:
    with running_hub() as hub_server:
        hub_server.files[TINY] = dict(CONTENT)
        yield hub_server


@pytest.fixture
def directory(tmp_path: Path, settings: object) -> Path:
    """The models directory of the settings."""
    options = Options(models_dir=str(tmp_path / "models"), model="tiny")
    settings.ENGINE_OPTIONS = {"whisperx": options}  # type: ignore[attr-defined]
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries."""
    monkeypatch.setattr(hub, "WAIT", 0.0)


def fetch(server: FakeHub, *arguments: str) -> str:
    out = io.StringIO()
    call_command("fetch_models", "--endpoint", server.endpoint, *arguments, stdout=out)
    return out.getvalue()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_a_model_is_fetched_whole(server: FakeHub, directory: Path) -> None:
    fetch(server, "--model", "tiny", "--yes")

    target = directory / "whisper/tiny"
    assert files(target) == ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"]
    assert (target / "model.bin").read_bytes() == CONTENT["model.bin"]
    assert files(target.parent) == ["tiny"]


def test_sizes_come_first(server: FakeHub, directory: Path) -> None:
    lines = fetch(server, "--model", "tiny", "--yes").splitlines()

    assert lines[0] == f"From {server.endpoint} into {directory}:"
    assert "whisper tiny" in lines[1]
    assert "78 MB" in lines[1]
    assert "are free" in lines[2]
    assert lines[-2] == "whisper tiny: 100 % of 0.3 MB"
    assert lines[-1] == f"whisper tiny is ready: {directory / 'whisper/tiny'}"


def test_nothing_is_asked_of_the_hub_before_somebody_agrees(
    server: FakeHub, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    with pytest.raises(CommandError, match="--yes"):
        fetch(server, "--model", "tiny")
    assert server.requests == []


def test_by_default_the_configured_model_and_english_alignment_come(server: FakeHub, directory: Path) -> None:
    server.files[ENGLISH] = {
        "pytorch_model.bin": b"weights",
        "model.safetensors": b"the same weights",
        "config.json": b"{}",
        "preprocessor_config.json": b"{}",
        "vocab.json": b"{}",
        "tokenizer_config.json": b"{}",
    }

    fetch(server, "--yes")

    assert files(directory / "whisper") == ["tiny"]
    assert "model.safetensors" in files(directory / "align/en")
    assert "pytorch_model.bin" not in files(directory / "align/en")


def test_what_is_there_is_not_fetched_again(server: FakeHub, directory: Path) -> None:
    fetch(server, "--model", "tiny", "--yes")
    server.requests.clear()

    assert "Nothing to download" in fetch(server, "--model", "tiny", "--yes")
    assert server.requests == []


def test_a_broken_connection_is_taken_up_again(server: FakeHub, directory: Path) -> None:
    server.break_after = [100_000, 50_000]

    fetch(server, "--model", "tiny", "--yes")

    assert (directory / "whisper/tiny/model.bin").read_bytes() == CONTENT["model.bin"]
    ranges = [found for path, found in server.requests if path.endswith("model.bin")]
    assert [bool(found) for found in ranges] == [False, True, True]


def test_a_later_run_goes_on_where_the_first_broke_off(server: FakeHub, directory: Path) -> None:
    server.break_after = [200_000, *[0] * 4]
    with pytest.raises(CommandError, match="cannot be reached"):
        fetch(server, "--model", "tiny", "--yes")
    assert not (directory / "whisper/tiny").exists()
    server.requests.clear()

    fetch(server, "--model", "tiny", "--yes")

    assert "bytes=196608-" in [found for _, found in server.requests]
    assert (directory / "whisper/tiny/model.bin").read_bytes() == CONTENT["model.bin"]


def test_a_server_without_ranges_sends_it_all_again(server: FakeHub, directory: Path) -> None:
    server.ranges, server.break_after = False, [100_000]

    fetch(server, "--model", "tiny", "--yes")

    assert (directory / "whisper/tiny/model.bin").read_bytes() == CONTENT["model.bin"]


def test_damaged_files_do_not_become_a_model(server: FakeHub, directory: Path) -> None:
    server.lie = True

    with pytest.raises(CommandError, match="did not answer as expected"):
        fetch(server, "--model", "tiny", "--yes")
    assert not (directory / "whisper/tiny").exists()
    assert not list(directory.glob("whisper/.tiny*/model.bin*"))


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_said_in_a_sentence(server: FakeHub, directory: Path, status: int) -> None:
    server.status = status

    with pytest.raises(CommandError, match=r"The model hub at 127\.0\.0\.1.* did not answer as expected"):
        fetch(server, "--model", "tiny", "--yes")


def test_no_hub_is_said_in_a_sentence(directory: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(CommandError, match=r"The model hub at 127\.0\.0\.1.* cannot be reached"):
            call_command("fetch_models", "--model", "tiny", "--yes", "--endpoint", endpoint, stdout=io.StringIO())


def test_a_full_disk_is_seen_beforehand(server: FakeHub, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "free_bytes", lambda _directory: 1000)

    with pytest.raises(CommandError, match=r"free, .* are needed"):
        fetch(server, "--model", "tiny", "--yes")
    assert not directory.exists()


def test_models_and_languages_that_do_not_exist(server: FakeHub, directory: Path) -> None:
    with pytest.raises(CommandError, match="no model “whale”"):
        fetch(server, "--model", "whale", "--yes")
    with pytest.raises(CommandError, match="“la”"):
        fetch(server, "--align", "la", "--yes")


def test_the_list_says_what_is_on_disk(directory: Path, models_dir: Path) -> None:
    shutil.copytree(models_dir / "whisper/tiny", directory / "whisper/tiny")
    out = io.StringIO()

    call_command("fetch_models", "--list", stdout=out)

    [tiny] = [line for line in out.getvalue().splitlines() if "tiny" in line]
    [persian] = [line for line in out.getvalue().splitlines() if "align   fa" in line]
    assert tiny.endswith("on disk")
    assert "1.3 GB" in persian
    assert "on disk" not in persian


def test_a_model_is_brought_from_a_directory(directory: Path, models_dir: Path) -> None:
    call_command("fetch_models", "--model", "tiny", "--from", models_dir / "whisper/tiny", stdout=io.StringIO())

    assert not models.missing(directory / "whisper/tiny", "whisper")


@pytest.mark.soak
@pytest.mark.whisperx
def test_a_model_that_was_brought_works(directory: Path, models_dir: Path) -> None:
    call_command("fetch_models", "--model", "tiny", "--from", models_dir / "whisper/tiny", stdout=io.StringIO())
    options = Options(models_dir=str(directory), model="tiny")

    assert readiness(options).ready
    assert hear(WhisperX(options), voice(SENTENCES)[: 4 * SAMPLE_RATE], Hints(), ignore_progress)


def test_half_a_model_is_refused(directory: Path, models_dir: Path, tmp_path: Path) -> None:
    shutil.copy(models_dir / "whisper/tiny/model.bin", tmp_path)

    with pytest.raises(CommandError, match=r"lacks config\.json, tokenizer\.json"):
        call_command("fetch_models", "--model", "tiny", "--from", tmp_path, stdout=io.StringIO())
    assert not (directory / "whisper/tiny").exists()


def test_one_directory_is_one_model(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="name it with --model or --align"):
        call_command("fetch_models", "--from", tmp_path, stdout=io.StringIO())


def test_every_model_has_a_repository_and_a_size() -> None:
    for model in [*map(models.whisper, models.WHISPER), *map(models.aligner, models.ALIGN)]:
        assert model.repository.count("/") == 1
        assert 10e6 < model.size < 10e9


@pytest.mark.soak
@pytest.mark.whisperx
def test_repositories_are_those_of_the_packages() -> None:
    alignment = pytest.importorskip("whisperx.alignment")
    whisper = pytest.importorskip("faster_whisper.utils")

    assert {name: repository for name, (repository, _) in models.WHISPER.items()}.items() <= whisper._MODELS.items()
    ours = {"tl" if code == "fil" else code: repository for code, (repository, _) in models.ALIGN.items()}
    assert alignment.DEFAULT_ALIGN_MODELS_HF.items() <= ours.items()
    assert set(ours) == {*alignment.DEFAULT_ALIGN_MODELS_HF, *alignment.DEFAULT_ALIGN_MODELS_TORCH}
