"""pyannote's diarizer: WhisperX's pipeline, replaced by one that answers, because its models may not be shipped.

The modules around it are imported in `make soak` only, which takes ten seconds; otherwise their text is looked at.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jobs.engines.pyannote.client import Pyannote
from jobs.engines.pyannote.options import MODEL, Options, readiness
from jobs.pipeline.errors import EngineError, NotReady, OutOfMemory
from jobs.pipeline.protocols import SAMPLE_RATE, Turn
from tests.pipeline import sounds

pytestmark = pytest.mark.whisperx


class Pipeline:
    """Has the interface of whisperx.diarize.DiarizationPipeline, and records what it was given."""

    made: list[dict[str, Any]]
    asked: list[dict[str, Any]]
    error: Exception | None

    def __init__(self, **given: Any) -> None:
        Pipeline.made.append(given)

    def __call__(self, audio: Any, *, num_speakers: int | None, progress_callback: Any) -> Any:
        Pipeline.asked.append({"samples": audio, "num_speakers": num_speakers})
        if Pipeline.error:
            raise Pipeline.error
        for percent in (25.0, 100.0):
            progress_callback(percent)
        rows = [
            {"start": 0.5, "end": 2.0, "speaker": "SPEAKER_01", "label": "A", "segment": None},
            {"start": 2.5, "end": 3.0, "speaker": "SPEAKER_00", "label": "B", "segment": None},
        ]
        return SimpleNamespace(to_dict=lambda _kind: rows)


@pytest.fixture(params=["doubles", pytest.param("real", marks=pytest.mark.soak)])
def pipeline(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Pipeline]:
    Pipeline.made, Pipeline.asked, Pipeline.error = [], [], None
    if request.param == "doubles":
        for name in ("pyannote.audio", "pyannote.audio.telemetry", "whisperx.diarize"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        vars(sys.modules["pyannote.audio.telemetry"])["set_telemetry_metrics"] = lambda enabled: None
        vars(sys.modules["whisperx.diarize"])["DiarizationPipeline"] = Pipeline
        return Pipeline
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the engine does
        monkeypatch.setattr(importlib.import_module("whisperx.diarize"), "DiarizationPipeline", Pipeline)
    return Pipeline


def text_of(package: str, module: str) -> ast.Module:
    """The text of a module, which is not imported."""
    found = importlib.util.find_spec(package)
    assert found
    return ast.parse(Path((found.submodule_search_locations or [])[0], module).read_text(encoding="utf-8"))


def test_the_real_pipeline_takes_what_it_is_given() -> None:
    [real] = [
        each
        for each in text_of("whisperx", "diarize.py").body
        if isinstance(each, ast.ClassDef) and each.name == "DiarizationPipeline"
    ]
    takes = {
        each.name: [argument.arg for argument in each.args.args]
        for each in real.body
        if isinstance(each, ast.FunctionDef)
    }
    assert {"model_name", "token", "device"} <= set(takes["__init__"])
    assert {"num_speakers", "progress_callback"} <= set(takes["__call__"])
    assert takes["__call__"][1] == "audio"


def test_the_telemetry_can_be_turned_off() -> None:
    exported = text_of("pyannote", "audio/telemetry/__init__.py").body
    names = {alias.name for each in exported if isinstance(each, ast.ImportFrom) for alias in each.names}
    assert "set_telemetry_metrics" in names


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "config.yaml").touch()
    return tmp_path / "pipeline"


def test_turns_come_from_the_pipeline_on_disk(pipeline: type[Pipeline], model: Path, tmp_path: Path) -> None:
    audio = sounds.write_wav(tmp_path / "talk.wav", sounds.silence(4))
    shares: list[float] = []
    engine = Pyannote(Options(model=str(model), device="cpu"))
    turns = engine.diarize(audio, 2, shares.append)
    assert turns == [Turn(start=0.5, end=2.0, speaker="SPEAKER_01"), Turn(start=2.5, end=3.0, speaker="SPEAKER_00")]
    assert shares == [0.25, 1.0]
    assert pipeline.made == [{"model_name": str(model), "token": None, "device": "cpu"}]
    assert pipeline.asked[0]["num_speakers"] == 2
    assert pipeline.asked[0]["samples"].dtype == np.float32
    assert len(pipeline.asked[0]["samples"]) == 4 * SAMPLE_RATE
    engine.diarize(audio, None, shares.append)
    assert len(pipeline.made) == 1


def test_with_a_token_the_usual_pipeline_is_fetched(pipeline: type[Pipeline], tmp_path: Path) -> None:
    audio = sounds.write_wav(tmp_path / "talk.wav", sounds.silence(1))
    Pyannote(Options(token="hf_secret", device="cpu")).diarize(audio, None, lambda _: None)
    assert pipeline.made == [{"model_name": MODEL, "token": "hf_secret", "device": "cpu"}]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(RuntimeError("CUDA out of memory"), OutOfMemory), (MemoryError(), OutOfMemory), (KeyError("plda"), EngineError)],
)
def test_failures_are_errors_of_the_engine(
    pipeline: type[Pipeline], model: Path, tmp_path: Path, failure: Exception, kind: type[EngineError]
) -> None:
    pipeline.error = failure
    audio = sounds.write_wav(tmp_path / "talk.wav", sounds.silence(1))
    with pytest.raises(EngineError) as caught:
        Pyannote(Options(model=str(model), device="cpu")).diarize(audio, None, lambda _: None)
    assert type(caught.value) is kind


def test_it_is_ready_with_a_pipeline_or_a_token(model: Path, tmp_path: Path) -> None:
    assert readiness(Options(model=str(model))).ready
    assert readiness(Options(token="hf_secret")).ready
    assert "hf_secret" not in str(readiness(Options(token="hf_secret")))
    for lacking in (Options(), Options(model=str(tmp_path)), Options(model=str(tmp_path), token="hf_secret")):
        state = readiness(lacking)
        assert not state.ready
        assert state.reason
        assert "PYANNOTE_MODEL" in state.remedy
        with pytest.raises(NotReady):
            Pyannote(lacking).diarize(sounds.SENTENCES, None, lambda _: None)
