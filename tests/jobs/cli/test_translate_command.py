"""`manage.py translate`: its results, its output and its progress display."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.engines.pocketsphinx import spec as pocketsphinx
from jobs.pipeline.errors import BadWords, NoSuchTrack, NoUsableSubtitles
from jobs.pipeline.media.probe import probe
from tests.engines.fake_llm_server import KEY, FakeServer
from tests.jobs.command import command_line, environment, files_in, run, said, translate
from tests.pipeline.clips import Clips, gray_frame, write_srt
from tests.pipeline.clips import run as clip_tool
from tests.pipeline.web_server import serving
from tests.pipeline.with_subtitles import ENGLISH, PERSIAN, Track, srt, video

pytestmark = pytest.mark.django_db(transaction=True)

needs_apertium = pytest.mark.skipif(
    not apertium.ENGINE.readiness(apertium.Options()).ready,
    reason="Apertium is not installed: apt install apertium-eng-spa",
)
needs_pocketsphinx = pytest.mark.skipif(
    not pocketsphinx.ENGINE.readiness(pocketsphinx.ENGINE.options()).ready, reason="PocketSphinx is not installed"
)

STAGES = ["fetch", "subtitle", "render"]


# What is made


def test_finished_subtitles_are_burned_in(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["black.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    assert (ran.code, ran.err) == (0, "")
    names = {"black.fa.mp4", "black.fa.srt", "black.fa.vtt", "black.fa.ass", "black.report.json", "black.webp"}
    assert files_in(output) == names
    assert max(gray_frame(output / "black.fa.mp4", 1.0, (160, 120))) > 150, "white letters"
    assert max(gray_frame(output / "black.fa.mp4", 0.1, (160, 120))) < 40, "not there yet"


@pytest.mark.soak
def test_the_ending_says_where_the_results_are(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["black.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    assert ran.out.splitlines()[-2:] == [
        f"result: {output / 'black.fa.mp4'}",
        f"subtitles: {output / 'black.fa.srt'}",
    ]


def test_the_same_language_is_captions(clips: Clips, output: Path, english: Path) -> None:
    ran = translate(
        *(clips["plain.mp4"], "--from", "en", "--to", "English", "--subtitles", english),
        *("--no-video", "--output", output),
    )
    assert "The subtitles are already in English, so translation was skipped." in ran.out
    assert "She reads a new book." in (output / "plain.en.srt").read_text()
    assert json.loads((output / "plain.report.json").read_text())["engines"] == {}


@pytest.mark.soak
def test_captions_in_both_languages_come_once(clips: Clips, output: Path, english: Path) -> None:
    more = ("--bilingual", "--no-video", "--output", output)
    assert translate(clips["plain.mp4"], "--from", "en", "--to", "en", "--subtitles", english, *more).code == 0
    assert (output / "plain.en.srt").read_text().count("She reads a new book.") == 1


def test_a_reader_that_goes_away(clips: Clips, output: Path, persian: Path) -> None:
    """A closed output pipe, as with `| head -1`."""
    arguments = (clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    with subprocess.Popen(
        command_line(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (1, "")
    assert not output.exists()


@pytest.mark.soak
@needs_apertium
@needs_pocketsphinx
def test_spoken_english_becomes_spanish(welcome: Path, output: Path) -> None:
    ran = translate(
        *(welcome, "--to", "es", "--transcriber", "pocketsphinx", "--translator", "apertium"), "--output", output
    )
    assert (ran.code, ran.err) == (0, "")
    endings = ("es.mp4", "es.srt", "es.vtt", "es.ass", "en.srt", "webp", "report.json")
    names = {f"welcome.{ending}" for ending in endings}
    assert files_in(output) == names
    assert "thank you for watching" in (output / "welcome.en.srt").read_text().lower()
    assert "gracias" in (output / "welcome.es.srt").read_text().lower()
    assert ran.out.count("(offline demo engine: expect errors)") == 2
    assert "Spoken language: English." in ran.out
    report = json.loads((output / "welcome.report.json").read_text())
    assert report["engines"] == {"transcribe": "pocketsphinx", "translate": "apertium"}
    assert (report["source"], report["target"]) == ("en", "es")
    assert report["files"] == sorted(names)


@pytest.mark.soak
@needs_apertium
def test_both_languages(clips: Clips, output: Path, english: Path) -> None:
    translate(
        *(clips["plain.mp4"], "--from", "en", "--to", "es", "--subtitles", english, "--translator", "apertium"),
        *("--bilingual", "--no-video", "--output", output),
    )
    both = (output / "plain.es.srt").read_text()
    assert "libro" in both
    assert "She reads a new book." in both
    assert "libro" not in (output / "plain.en.srt").read_text()


@pytest.mark.soak
def test_a_soft_track(clips: Clips, output: Path, persian: Path) -> None:
    translate(clips["black.mp4"], "--to", "fa", "--subtitles", persian, "--soft", "--output", output)
    made = probe(output / "black.fa.mp4")
    assert len(made.subtitles) == 1
    assert max(gray_frame(output / "black.fa.mp4", 1.0, (160, 120))) < 40, "the picture is untouched"


def test_subtitles_only(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--no-video", "--output", output)
    assert files_in(output) == {f"plain.{ending}" for ending in ("fa.srt", "fa.vtt", "fa.ass", "report.json")}
    assert f"result: {output / 'plain.fa.srt'}" in ran.out
    assert "render" not in ran.out


@pytest.mark.soak
def test_a_video_without_sound_and_subtitles_that_were_brought(clips: Clips, output: Path, persian: Path) -> None:
    assert translate(clips["mute.mp4"], "--to", "fa", "--subtitles", persian, "--output", output).code == 0
    assert (output / "mute.fa.mp4").exists()


@pytest.mark.soak
def test_sound_without_a_picture_gives_subtitles(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["sound.mp3"], "--to", "fa", "--subtitles", persian, "--output", output)
    assert ran.code == 0
    assert "The file contains only sound, so only subtitles are made." in ran.out
    assert files_in(output) == {f"sound.{ending}" for ending in ("fa.srt", "fa.vtt", "fa.ass", "report.json")}


@pytest.mark.soak
def test_the_hevc_video_of_a_phone(clips: Clips, output: Path, persian: Path) -> None:
    source = clips.turned()
    assert translate(source, "--to", "fa", "--subtitles", persian, "--output", output).code == 0
    made, known = probe(output / "turned.fa.mp4").video, probe(source).video
    assert made
    assert known
    assert (made.width, made.height, made.rotation) == (known.width, known.height, 0)
    assert made.codec == "h264"


def test_a_link(clips: Clips, output: Path, persian: Path, settings: Any) -> None:
    with serving(clips["plain.mp4"].read_bytes()) as site:
        settings.LINK_TEST_HOSTS = (site.endpoint,)
        ran = translate(site.url("/video.mp4"), "--to", "fa", "--subtitles", persian, "--output", output)
    assert (ran.code, ran.err) == (0, "")
    assert (output / "video.fa.mp4").exists()
    assert not list(output.glob(".*"))


@pytest.mark.soak
def test_a_glossary_a_tone_and_a_topic_reach_the_translator(
    clips: Clips, output: Path, english: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "words.txt").write_text("book = کتاب\n")
    with FakeServer() as server:
        options = gemini.Options(api_key=KEY, endpoint=server.url)
        settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": options}
        translate(
            *(clips["plain.mp4"], "--from", "en", "--to", "fa", "--subtitles", english, "--translator", "gemini"),
            *("--glossary", tmp_path / "words.txt", "--formality", "formal", "--topic", "a day in the park"),
            *("--no-video", "--output", output),
        )
    whole = json.dumps(server.asked[0].body, ensure_ascii=False)
    assert "کتاب" in whole
    assert "a day in the park" in whole
    assert "formal" in whole


@pytest.mark.soak
def test_earlier_results_are_replaced(clips: Clips, output: Path, tmp_path: Path) -> None:
    for text in ("یک", "دو"):
        brought = write_srt(tmp_path / "brought.srt", text)
        translate(clips["plain.mp4"], "--to", "fa", "--subtitles", brought, "--no-video", "--output", output)
    assert "دو" in (output / "plain.fa.srt").read_text()


@pytest.mark.soak
def test_sources_with_one_name(clips: Clips, output: Path, tmp_path: Path) -> None:
    """Sources that differ only in invalid bytes or in their directory all keep their results."""
    names = [os.fsdecode(b"film \xff.mp4"), os.fsdecode(b"film \xfe.mp4"), "other/film.mp4", "film.mkv"]
    (tmp_path / "other").mkdir()
    words = ("یک", "دو", "سه", "چهار")
    for word, name in zip(words, names, strict=True):
        shutil.copy(clips["plain.mp4"], tmp_path / name)
        brought = write_srt(tmp_path / "brought.srt", word)
        more = ("--to", "fa", "--subtitles", brought, "--no-video", "--output", output)
        assert translate(tmp_path / name, *more).code == 0
    texts = [path.read_text() for path in output.glob("*.fa.srt")]
    assert all(any(word in text for text in texts) for word in words), texts
    assert {path.name for path in output.glob("*.fa.srt")} == {
        "film.fa.srt",
        *(f"film ({number}).fa.srt" for number in (2, 3, 4)),
    }


@pytest.mark.soak
def test_the_default_place_is_here(
    clips: Clips, tmp_path: Path, persian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--no-video")
    assert "plain.fa.srt" in files_in(Path())


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("-a:b=c,d;[e]%d 'x' \"فیلم\".mp4", "-a:b=c,d;[e]%d 'x' \"فیلم\""),
        *(
            pytest.param(name, result, marks=pytest.mark.soak)
            for name, result in (
                ("two words.mp4", "two words"),
                ("two\nlines.mp4", "two lines"),
                ("-y.mp4", "-y"),
                ("back\\slash.mp4", "back\\slash"),
                ("{x}[bold]$HOME`id`.mp4", "{x}[bold]$HOME`id`"),
                ("http:film.mp4", "http:film"),
                (".hidden.mp4", "hidden"),
            )
        ),
        pytest.param(b"bytes \xff.mp4".decode(errors="surrogateescape"), "bytes", marks=pytest.mark.soak),
    ],
)
def test_any_name(
    clips: Clips, tmp_path: Path, persian: Path, monkeypatch: pytest.MonkeyPatch, name: str, result: str
) -> None:
    """Any file name and directory name, also in the arguments of ffmpeg's filters."""
    shutil.copy(clips["black.mp4"], tmp_path / name)
    monkeypatch.chdir(tmp_path)
    output = tmp_path / f"{name} results"
    ran = translate("--to", "fa", "--subtitles", persian, "--output", output, "--", name)
    assert (ran.code, ran.err) == (0, "")
    assert (output / f"{result}.fa.srt").exists()
    assert max(gray_frame(output / f"{result}.fa.mp4", 1.0, (160, 120))) > 150


# What is said


@pytest.mark.soak
def test_the_report_as_text(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--no-video", "--output", output, "-v", 2)
    assert "1 of 1 cues have no quality issues (fa to fa)." in ran.out


def test_a_traceback_when_it_is_asked_for(output: Path) -> None:
    ran = translate("none.mp4", "--to", "fa", "--output", output, "-v", 3, "--subtitles", "none.srt")
    assert "Traceback" in ran.err
    assert "NoSuchFile" in ran.err


@pytest.mark.soak
def test_plain_lines(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    shares = re.findall(r"^(\w+): (\d+)%", ran.out, re.MULTILINE)
    assert list(dict.fromkeys(stage for stage, _ in shares)) == STAGES
    for stage in STAGES:
        of_stage = [int(share) for one, share in shares if one == stage]
        assert of_stage == sorted(set(of_stage))
        assert (of_stage[0], of_stage[-1]) == (0, 100)
        assert len(of_stage) <= 6


def test_json_lines(clips: Clips, output: Path, persian: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", output, "--json", "-v", 2)
    events = [json.loads(line) for line in ran.out.splitlines()]
    overall = [event["overall"] for event in events if event["event"] == "progress"]
    assert overall == sorted(overall)
    assert overall[-1] == 1.0
    assert list(dict.fromkeys(event["stage"] for event in events if event["event"] == "progress")) == STAGES
    assert [event["event"] for event in events].count("note") == 1
    assert [event["event"] for event in events].count("result") == 1
    result = events[-1]
    assert result["video"] == str(output / "plain.fa.mp4")
    assert result["subtitles"] == str(output / "plain.fa.srt")
    assert {Path(path) for path in result["files"]} == set(output.iterdir())
    assert result["report"] == json.loads((output / "plain.report.json").read_text())


def test_an_error_as_json(output: Path) -> None:
    ran = translate("none.mp4", "--to", "fa", "--subtitles", "none.srt", "--output", output, "--json")
    event = json.loads(ran.out)
    assert (ran.code, event["event"], event["code"]) == (1, "error", "NoSuchFile")
    assert event["sentence"] == ran.err.strip()


# As a person runs it


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="nothing"),
        *(
            pytest.param(("film.mp4", *more), id=name, marks=pytest.mark.soak)
            for name, more in (
                ("no language", ()),
                ("both modes", ("--to", "fa", "--soft", "--no-video")),
                ("no such engine", ("--to", "fa", "--translator", "x")),
            )
        ),
    ],
)
def test_a_misuse(arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("usage: manage.py translate")
    assert "Traceback" not in ran.err


def test_a_failure_of_the_whole_process(output: Path) -> None:
    ran = run("none.mp4", "--to", "fa", "--subtitles", "none.srt", "--output", output)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "The file “none.srt” does not exist. Check the name and try again.\n"


@pytest.mark.soak
def test_a_name_that_is_no_text_as_json(clips: Clips, tmp_path: Path, persian: Path) -> None:
    """A file name that is not valid text is encoded for the output of a real process."""
    source = tmp_path / b"bytes \xff.mp4".decode(errors="surrogateescape")
    shutil.copy(clips["plain.mp4"], source)
    output = tmp_path / b"results \xff".decode(errors="surrogateescape")
    ran = run(source, "--to", "fa", "--subtitles", persian, "--no-video", "--json", "--output", output)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out.splitlines()[-1])["subtitles"] == str(output / "bytes.fa.srt")
    assert json.loads((output / "bytes.report.json").read_text())["title"] == "bytes ?"


def test_bars_on_a_terminal(clips: Clips, output: Path, persian: Path) -> None:
    arguments = (clips["middle.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    code, shown = on_a_terminal(command_line(*arguments))
    assert code == 0
    assert re.search(r"Render\W.*[━╸╺].* \d+%", shown)
    percents = [int(each) for each in re.findall(r"Render.*?(\d+)%", shown)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert f"result: {output / 'middle.fa.mp4'}" in shown


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run on a pseudo-terminal; returns the exit code and the terminal's input."""
    ours, theirs = pty.openpty()
    variables = environment(TERM="xterm-256color", COLUMNS="200", LINES="40")
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables) as process:
        os.close(theirs)
        shown = b"".join(chunks(ours))
    os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def chunks(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 65536)
        except OSError:
            return  # The other side is closed.


@pytest.mark.soak
@needs_pocketsphinx
def test_the_sound_track_in_the_named_language_is_recognised(welcome: Path, tmp_path: Path, output: Path) -> None:
    """The default track is a tone that is marked as German."""
    dubbed = tmp_path / "dubbed.mkv"
    sounds = ("-i", str(welcome), "-f", "lavfi", "-i", "sine=duration=4", "-map", "0:v", "-map", "1:a", "-map", "0:a")
    tags = ("-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng", "-disposition:a:1", "0")
    clip_tool(*sounds, "-c:v", "copy", "-c:a", "flac", *tags, "-disposition:a:0", "default", str(dubbed))
    ran = translate(
        *(dubbed, "--from", "en", "--to", "en", "--transcriber", "pocketsphinx", "--no-video", "--output", output)
    )
    assert (ran.code, ran.err) == (0, "")
    assert "thank you for watching" in (output / "dubbed.en.srt").read_text().lower()
    told = "The video has 2 sound tracks; track 2, in English, is used."
    assert told in ran.out
    report = json.loads((output / "dubbed.report.json").read_text())
    assert (report["sound"]["track"], told in report["notes"]) == (2, True)


def test_a_sound_track_that_is_not_there(clips: Clips, output: Path) -> None:
    ran = translate(clips["tracks.mkv"], "--to", "en", "--from", "en", "--audio-track", "3", "--output", output)
    assert ran.code == 1
    assert said(NoSuchTrack, ran.err)
    assert not output.exists()


def test_the_subtitles_of_the_file_are_used(tmp_path: Path, output: Path) -> None:
    film = video(tmp_path / "film.mkv", Track(srt(ENGLISH), "eng"), Track(srt(PERSIAN), "per"))
    ran = translate(film, "--to", "en", "--from", "en", "--no-video", "--output", output)
    assert (ran.code, ran.err) == (0, "")
    told = "The subtitles in the file (track 1, English) were used, and the speech was not recognised."
    assert told in ran.out
    assert "transcribe:" not in ran.out
    report = json.loads((output / "film.report.json").read_text())
    assert report["subtitles"]["used"]["number"] == 1
    assert any(told in note for note in report["notes"])
    assert all(text in " ".join((output / "film.en.srt").read_text().split()) for text in ENGLISH)
    ran = translate(film, "--to", "fa", "--words", "subtitles:fa", "--no-video", "--output", output)
    assert "(track 2, Persian) were used" in ran.out


def test_the_captions_of_a_site_are_used(tmp_path: Path, output: Path, settings: Any) -> None:
    with serving(video(tmp_path / "film.mp4").read_bytes()) as site:
        site.captions = srt(ENGLISH)
        settings.LINK_TEST_HOSTS = (site.endpoint,)
        link = site.url("/film.html?captions=en%3D/captions.srt")
        ran = translate(link, "--to", "en", "--from", "en", "--no-video", "--output", output)
    assert (ran.code, ran.err) == (0, "")
    assert "The captions of the site (English), made by people, were used" in ran.out
    (written,) = output.glob("*.en.srt")
    assert "What are you doing with that?" in written.read_text()


@pytest.mark.parametrize("words", ["", "subtitles:", "text"])
def test_a_source_of_words_that_is_none(clips: Clips, output: Path, words: str) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--words", words or "speech:1", "--output", output)
    assert ran.code == 1
    assert said(BadWords, ran.err)


def test_there_are_no_subtitles(clips: Clips, output: Path) -> None:
    ran = translate(clips["plain.mp4"], "--to", "fa", "--words", "subtitles", "--no-video", "--output", output)
    assert ran.code == 1
    assert said(NoUsableSubtitles, ran.err)
