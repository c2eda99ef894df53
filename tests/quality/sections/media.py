"""The table of media that are badly made: each case is a test, which looks at frames and sounds.

To add a case, name the test here; its row is met when the test passes.
"""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.measure import ROOT
from tests.quality.engines import Session
from tests.quality.rows import Row

SECTION = "media"
_TESTS: dict[str, dict[str, str]] = {
    "test_media_still.py": {
        "a picture that stands still, begins late, ends early, one frame": "test_subtitles_are_seen_at_their_times",
        "a picture that stands still and changes its size": "test_a_picture_that_stands_still_and_changes_its_size",
        "a recording with still parts": "test_frames_of_a_recording_with_still_parts_keep_their_times",
    },
    "test_timeline.py": {
        "joined DVD cells, clocks that wrap, jump or restart": "test_a_clock_that_jumps",
        "joined pieces, sound shorter or longer: in step": "test_pieces_whose_sound_is_shorter_or_longer_stay_in_step",
        "jumps with pictures stored out of order": "test_pictures_that_are_stored_out_of_order",
        "a jumping clock with subtitles as a track": "test_a_track_is_added_to_the_whole_film",
        "sound that is missing for a while": "test_sound_that_is_missing_for_a_while_is_no_jump",
        "a length that is stated wrongly": "test_a_length_that_is_stated_wrongly",
    },
    "test_media_hdr.py": {
        "HLG and PQ stay HDR, letters at 203 nits": "test_hdr_stays_hdr_with_letters_of_reference_white",
    },
    "test_side_tracks.py": {
        "a sound track in an unknown codec": "test_results_have_the_sound_that_can_be_decoded",
    },
    "test_probe.py": {
        "a cover that is marked": "test_a_cover_is_no_picture",
        "a cover that is not marked": "test_a_cover_that_is_not_marked_is_not_the_film",
        "a single still as the film": "test_a_single_still_is_the_film_where_there_is_no_other",
        "a track with time codes": "test_streams_in_a_group_are_found",
    },
    "test_media_anamorphic.py": {
        "anamorphic pictures: round letters": "test_letters_are_shown_round",
        "an anamorphic picture that is turned": "test_a_turned_picture",
    },
    "test_media_interlaced.py": {
        "interlaced pictures, marked or not": "test_fields_become_whole_frames",
    },
}
"""Files in tests/pipeline, with their cases and the test of each."""

CASES: dict[str, str] = {
    case: f"tests/pipeline/{file}::{test}" for file, tests in _TESTS.items() for case, test in tests.items()
}
"""Case: the test that stands for it, as pytest names it."""


def measure(session: Session) -> list[Row]:
    """Run the test of each case."""
    return [_row(name, test) for name, test in CASES.items()]


def _row(name: str, test: str) -> Row:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Row(section=SECTION, name=name, value=float(done.returncode == 0), target="right", met=done.returncode == 0)
