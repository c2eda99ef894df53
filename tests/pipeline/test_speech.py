"""Voice activity detection: speech among noise, hum and music."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.pipeline.protocols import Region, Samples
from jobs.pipeline.speech.voice_activity import overlap, speech_regions
from tests.pipeline.sounds import HUMAN, SAMPLE, SENTENCES, hum, music, noise, silence, voice

# When the eight subtitles of the sample begin and end, from sample.en.srt, which a person timed.
SAMPLE_TIMES = [(0.6, 3.29), (4.09, 7.66), (8.46, 11.51), (12.31, 15.375), (16.175, 20.115), (20.915, 23.83)]


@pytest.mark.parametrize("sound", [silence(), hum(), noise(), music(), noise(level=0.002)])
def test_no_speech_where_nobody_speaks(sound: Samples) -> None:
    assert speech_regions(sound) == []


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1500])
def test_the_shortest_sounds_are_no_speech(count: int) -> None:
    assert speech_regions(np.zeros(count, dtype=np.float32)) == []


def test_regions_are_those_a_person_timed() -> None:
    regions = speech_regions(voice(SAMPLE))

    assert len(regions) == 8
    for region, (start, end) in zip(regions, SAMPLE_TIMES, strict=False):
        assert region.start == pytest.approx(start, abs=0.25)
        assert region.end == pytest.approx(end, abs=0.25)


def test_a_human_voice_in_an_old_recording_is_speech() -> None:
    regions = speech_regions(voice(HUMAN))

    assert overlap(0, 11, regions) > 10


@pytest.mark.parametrize("under", [noise(20, level=0.01), hum(20), music(20) * 0.3])
def test_speech_over_other_sounds_is_found(under: Samples) -> None:
    clean = speech_regions(voice(SENTENCES))
    mixed = speech_regions(voice(SENTENCES) + under[: len(voice(SENTENCES))])

    for region in clean:
        assert overlap(region.start, region.end, mixed) > 0.8 * (region.end - region.start)


@pytest.mark.parametrize("after", [noise(10, level=0.02), hum(10), music(10)])
def test_what_sounds_on_after_speech_is_none(after: Samples) -> None:
    speech = voice(SENTENCES)

    regions = speech_regions(np.concatenate((speech, after)))

    assert regions[-1].end == pytest.approx(speech_regions(speech)[-1].end, abs=0.5)


def test_loudness_does_not_matter() -> None:
    loud, quiet = speech_regions(voice(SENTENCES)), speech_regions(voice(SENTENCES) * np.float32(0.05))

    assert [region.start for region in loud] == pytest.approx([region.start for region in quiet], abs=0.2)


def test_blocks_leave_no_seam() -> None:
    """Spectra are made 30 s at a time: speech across such a border is found as it is anywhere else."""
    speech = voice(SENTENCES)[int(1.0 * 16000) : int(7.6 * 16000)]
    shifted = np.concatenate((silence(27), speech, silence(3)))

    regions = speech_regions(shifted)

    expected = speech_regions(np.concatenate((silence(3), speech, silence(3))))
    assert [round(region.start - 24, 2) for region in regions] == [round(region.start, 2) for region in expected]


def test_overlap_counts_the_seconds_that_are_shared() -> None:
    regions = [Region(start=1, end=2), Region(start=3, end=5)]

    assert overlap(1.5, 4, regions) == pytest.approx(1.5)
    assert overlap(2, 3, regions) == 0


def test_the_data_is_here() -> None:
    assert all(Path(path).exists() for path in (SAMPLE, SENTENCES, HUMAN))
