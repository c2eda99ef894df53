"""Sources that cannot be translated: exit code 1, one sentence, no files left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.gemini import client as gemini_client
from jobs.engines.gemini import spec as gemini
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline import errors
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import KEY, Behaviour, FakeServer, closed_port, good
from tests.jobs.command import Ran, files_in, said, translate
from tests.pipeline import sounds
from tests.pipeline.clips import Clips, run
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

SPEECH = ("--transcriber", "pocketsphinx", "--translator", "apertium")


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A double of Gemini's service, without waits between attempts."""
    with FakeServer() as server:
        options = gemini.Options(api_key=KEY, endpoint=server.url, timeout=PATIENCE)
        settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": options}
        unhurried = LlmTranslator
        monkeypatch.setattr(gemini_client, "LlmTranslator", lambda *a, **k: unhurried(*a, **k, sleep=lambda _: None))
        yield server


@pytest.fixture
def site(clips: Clips, settings: Any) -> Iterator[WebServer]:
    with serving(clips["plain.mp4"].read_bytes()) as site:
        settings.LINK_TEST_HOSTS = (site.endpoint,)
        yield site


def refused(output: Path, kind: type[errors.PipelineError], *arguments: object) -> Ran:
    """The command fails with the sentence of `kind`, on stderr alone, and leaves `output` as it was."""
    before = files_in(output)
    existed = output.exists()
    ran = translate(*arguments, "--output", output)
    assert said(kind, ran.err), ran.err
    assert ran.code == 1
    assert "result" not in ran.out
    assert (files_in(output), output.exists()) == (before, existed)
    return ran


# Files


def test_no_such_file(output: Path) -> None:
    ran = refused(output, errors.NoSuchFile, "none.mp4", "--to", "es", *SPEECH)
    assert "none.mp4" in ran.err


def test_a_directory(output: Path, tmp_path: Path) -> None:
    refused(output, errors.NotAFile, tmp_path, "--to", "es", *SPEECH)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", errors.EmptyFile), (b"Dear diary, today I was no video.\n" * 20, errors.NotAVideo)],
    ids=["empty", "text"],
)
def test_a_file_that_is_no_video(
    output: Path, tmp_path: Path, content: bytes, kind: type[errors.PipelineError]
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    refused(output, kind, path, "--to", "es", *SPEECH)


def test_a_truncated_video(clips: Clips, output: Path) -> None:
    refused(output, errors.DamagedVideo, clips.cut("plain.mp4", 0.5), "--to", "es", *SPEECH)


def test_a_truncated_video_whose_end_is_missed_only_when_it_is_read(clips: Clips, output: Path, persian: Path) -> None:
    refused(output, errors.DamagedVideo, clips.cut("faststart.mp4", 0.5), "--to", "fa", "--subtitles", persian)


def test_a_video_without_sound(clips: Clips, output: Path) -> None:
    refused(output, errors.NoAudio, clips["mute.mp4"], "--to", "es", *SPEECH)


def test_sound_without_picture_and_a_soft_track(clips: Clips, output: Path, persian: Path) -> None:
    refused(output, errors.NoVideoStream, clips["sound.mp3"], "--to", "fa", "--subtitles", persian, "--soft")


def test_a_file_of_no_length(clips: Clips, output: Path) -> None:
    refused(output, errors.TooShort, clips["nothing.wav"], "--to", "es", *SPEECH)


def test_a_file_of_ten_hours(tmp_path: Path, output: Path) -> None:
    path = tmp_path / "endless.mp4"
    run("-f", "lavfi", "-i", "color=black:size=16x16:rate=1/60:duration=36000", "-c:v", "libx264", str(path))
    ran = refused(output, errors.TooLong, path, "--to", "es", *SPEECH)
    assert "is 10 h long; the limit is 4 h" in ran.err


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(sounds.silence, id="silence"),
        pytest.param(sounds.music, id="music", marks=pytest.mark.soak),
        pytest.param(sounds.hum, id="hum", marks=pytest.mark.soak),
    ],
)
def test_nobody_speaks(tmp_path: Path, output: Path, sound: Any) -> None:
    path = sounds.write_wav(tmp_path / "quiet.wav", sound(6))
    refused(output, errors.NoSpeech, path, "--to", "es", *SPEECH)


@pytest.mark.parametrize("setting", [("MAX_BYTES", 1000, errors.TooLarge), ("MAX_PIXELS", 1000, errors.TooManyPixels)])
def test_more_than_is_allowed(
    clips: Clips, output: Path, settings: Any, setting: tuple[str, int, type[errors.PipelineError]]
) -> None:
    name, limit, kind = setting
    setattr(settings, name, limit)
    refused(output, kind, clips["plain.mp4"], "--to", "es", *SPEECH)


# This machine


def test_a_disk_that_fills_up(clips: Clips, small_disk: Path, persian: Path) -> None:
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(40_000))
    refused(small_disk, errors.DiskFull, clips["plain.mp4"], "--to", "fa", "--subtitles", persian)


@pytest.mark.soak
def test_a_disk_that_is_full_for_speech_already(small_disk: Path, welcome: Path) -> None:
    refused(small_disk, errors.DiskFull, welcome, "--to", "es", *SPEECH)


def test_a_disk_that_cannot_be_written(clips: Clips, closed_disk: Path, persian: Path) -> None:
    refused(closed_disk, errors.Unwritable, clips["plain.mp4"], "--to", "fa", "--subtitles", persian)


@pytest.mark.soak
def test_new_directories_on_a_full_disk_go_again(clips: Clips, small_disk: Path, persian: Path) -> None:
    deep = small_disk / "a" / "b"
    (small_disk / "filler").write_bytes(bytes(80_000))
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", deep)
    assert said(errors.DiskFull, ran.err)
    assert files_in(small_disk) == {"jobs", "filler"}


def test_a_file_where_the_directory_should_be(clips: Clips, output: Path, persian: Path) -> None:
    output.write_text("mine")
    ran = translate(clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    assert (ran.code, said(errors.Unwritable, ran.err)) == (1, True)
    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    "taken",
    ["plain.fa.mp4", *(pytest.param(name, marks=pytest.mark.soak) for name in ("plain.fa.ass", "plain.report.json"))],
)
def test_a_directory_where_a_result_should_be(clips: Clips, output: Path, persian: Path, taken: str) -> None:
    (output / taken).mkdir(parents=True)
    refused(output, errors.Unwritable, clips["plain.mp4"], "--to", "fa", "--subtitles", persian)


# Languages


@pytest.mark.parametrize("option", ["--to", "--from"])
def test_an_unknown_language(clips: Clips, output: Path, option: str) -> None:
    ran = refused(output, errors.UnknownLanguage, clips["plain.mp4"], "--to", "es", option, "Klingonese", *SPEECH)
    assert "Klingonese" in ran.err


def test_a_language_that_the_engine_cannot_hear(clips: Clips, output: Path) -> None:
    ran = refused(output, errors.CannotTranscribe, clips["plain.mp4"], "--to", "es", "--from", "fa", *SPEECH)
    assert "Persian" in ran.err


def test_a_pair_that_the_engine_cannot_translate(clips: Clips, output: Path) -> None:
    ran = refused(output, errors.CannotTranslate, clips["plain.mp4"], "--to", "fa", *SPEECH)
    assert "Apertium cannot translate from English to Persian" in ran.err
    assert "fetch" not in ran.out, "it is refused before any work"


# Links


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/html", errors.NoVideoAtLink),
        *(
            pytest.param(*each, marks=pytest.mark.soak)  # tests/pipeline has them all
            for each in (
                ("/status?code=404", errors.DeadLink),
                ("/text.mp4", errors.NotAVideo),
                ("/empty.mp4", errors.LinkError),
                ("/cut.mp4", errors.BrokenDownload),
            )
        ),
    ],
)
def test_a_link_without_a_video(
    site: WebServer, output: Path, persian: Path, path: str, kind: type[errors.PipelineError]
) -> None:
    ran = translate(site.url(path), "--to", "fa", "--subtitles", persian, "--output", output)
    assert ran.code == 1
    assert any(said(one, ran.err) for one in errors.all_errors(kind)), ran.err
    assert not output.exists()


def test_a_dead_link(settings: Any, output: Path, persian: Path) -> None:
    address = closed_port()
    settings.LINK_TEST_HOSTS = (address.removeprefix("http://"),)
    refused(output, errors.DeadLink, f"{address}/video.mp4", "--to", "fa", "--subtitles", persian)


def test_a_link_into_this_machine(site: WebServer, settings: Any, output: Path, persian: Path) -> None:
    settings.LINK_TEST_HOSTS = ()
    refused(output, errors.ForbiddenAddress, site.url("/video.mp4"), "--to", "fa", "--subtitles", persian)
    assert not site.asked


@pytest.mark.parametrize("link", ["ftp://example.org/video.mp4", "file:///etc/passwd", "https://"])
def test_what_is_no_link_to_a_video(output: Path, persian: Path, link: str) -> None:
    refused(output, errors.BadLink, link, "--to", "fa", "--subtitles", persian)


def test_cookies_that_are_none(site: WebServer, output: Path, persian: Path, tmp_path: Path) -> None:
    more = ("--cookies", tmp_path / "none.txt")
    refused(output, errors.BadCookies, site.url("/video.mp4"), "--to", "fa", "--subtitles", persian, *more)


# Subtitles, glossary, style


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", errors.EmptyFile),
        (b"no subtitles, only words", errors.UnreadableSubtitles),
        (b"\x00\x01\x02\xff" * 300, errors.UnreadableSubtitles),
        (b"WEBVTT\n\n", errors.NoSubtitleLines),
        (b"1\n00:00:00,500 --> 00:00:01,500\nNot Persian at all.\n", errors.OtherLanguageSubtitles),
    ],
    ids=["empty", "words", "bytes", "no lines", "another language"],
)
def test_subtitles_that_are_none(
    clips: Clips, output: Path, tmp_path: Path, content: bytes, kind: type[errors.PipelineError]
) -> None:
    brought = tmp_path / "brought.srt"
    brought.write_bytes(content)
    refused(output, kind, clips["plain.mp4"], "--to", "fa", "--subtitles", brought)


def test_subtitles_that_are_not_there(clips: Clips, output: Path) -> None:
    refused(output, errors.NoSuchFile, clips["plain.mp4"], "--to", "fa", "--subtitles", "none.srt")


def test_results_that_would_replace_the_subtitles(clips: Clips, output: Path, persian: Path) -> None:
    output.mkdir()
    brought = Path(shutil.copy(persian, output / "plain.fa.srt"))
    content = brought.read_bytes()
    refused(output, errors.WouldOverwrite, clips["plain.mp4"], "--to", "fa", "--subtitles", brought)
    assert brought.read_bytes() == content


@pytest.mark.soak
def test_the_subtitles_that_were_brought_are_the_source_already(clips: Clips, output: Path, english: Path) -> None:
    """Subtitles at the path of the source-language result stay unchanged; the other results are made."""
    output.mkdir()
    brought = Path(shutil.copy(english, output / "plain.en.srt"))
    content = brought.read_bytes()
    more = ("--translator", "apertium", "--no-video", "--output", output)
    ran = translate(clips["plain.mp4"], "--from", "en", "--to", "es", "--subtitles", brought, *more)
    assert (ran.code, ran.err) == (0, "")
    assert brought.read_bytes() == content
    assert files_in(output) == {f"plain.{rest}" for rest in ("en.srt", "es.srt", "es.vtt", "es.ass", "report.json")}


def test_results_that_would_replace_the_video(clips: Clips, output: Path, persian: Path, tmp_path: Path) -> None:
    """Results would replace the video through a hard link between two names."""
    source = Path(shutil.copy(clips["plain.mp4"], tmp_path / "film.mp4"))
    output.mkdir()
    (output / "film.fa.mp4").symlink_to(source)
    refused(output, errors.WouldOverwrite, source, "--to", "fa", "--subtitles", persian)


@pytest.mark.parametrize(
    ("content", "kind"), [(None, errors.PipelineError), (b"fine = yes\nno translation\n", errors.BadGlossary)]
)
def test_a_bad_glossary(
    clips: Clips, output: Path, tmp_path: Path, persian: Path, content: bytes | None, kind: type[errors.PipelineError]
) -> None:
    path = tmp_path / "glossary.txt"
    if content is not None:
        path.write_bytes(content)
    more = ("--subtitles", persian, "--glossary", path)
    ran = translate(clips["plain.mp4"], "--to", "fa", *more, "--output", output)
    assert ran.code == 1
    assert any(said(one, ran.err) for one in errors.all_errors(kind))
    assert not output.exists()


def test_a_bad_style(clips: Clips, output: Path, persian: Path) -> None:
    refused(output, errors.BadStyle, clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--style", "glittering")


# Gemini


def asking(english: Path, clips: Clips) -> tuple[object, ...]:
    return (clips["plain.mp4"], "--from", "en", "--to", "fa", "--subtitles", english, "--translator", "gemini")


def test_no_key(clips: Clips, output: Path, english: Path) -> None:
    ran = refused(output, errors.NotReady, *asking(english, clips))
    assert "GEMINI_API_KEY" in ran.err


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (fake.wrong_key, errors.WrongKey),
        *(
            pytest.param(*trouble, marks=pytest.mark.soak)  # Retried with real waits; tests/engines has them all.
            for trouble in (
                (fake.forbidden_key, errors.WrongKey),
                (fake.rate_limited, errors.OutOfQuota),
                (fake.no_money, errors.OutOfQuota),
                (fake.wrong_place, errors.RefusedLocation),
                (fake.overloaded, errors.ServiceDown),
                (fake.server_error, errors.ServiceDown),
                (fake.slow, errors.ServiceSlow),
                (fake.garbage, errors.NothingTranslated),
                (fake.html, errors.NothingTranslated),
                (fake.empty_lines, errors.NothingTranslated),
            )
        ),
    ],
)
def test_gemini_in_trouble(
    clips: Clips,
    output: Path,
    english: Path,
    server: FakeServer,
    settings: Any,
    behaviour: Behaviour,
    kind: type[errors.PipelineError],
) -> None:
    server.behave(behaviour)
    if behaviour is fake.slow:
        hurried = gemini.Options(api_key=KEY, endpoint=server.url, timeout=0.3)
        settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": hurried}
    ran = translate(*asking(english, clips), "--output", output, "-v", 3)
    assert ran.code == 1
    assert said(kind, ran.err.splitlines()[0])
    assert server.asked
    assert KEY not in ran.err + ran.out
    assert not output.exists()


@pytest.mark.soak
def test_gemini_is_down(clips: Clips, output: Path, english: Path, server: FakeServer, settings: Any) -> None:
    nowhere = gemini.Options(api_key=KEY, endpoint=closed_port())
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": nowhere}
    refused(output, errors.ServiceDown, *asking(english, clips))


@pytest.mark.parametrize(
    "behaviour",
    [fake.too_few, *(pytest.param(each, marks=pytest.mark.soak) for each in (good, fake.too_many, fake.fenced))],
)
def test_gemini_with_too_little_or_too_much(
    clips: Clips, output: Path, english: Path, server: FakeServer, behaviour: Behaviour
) -> None:
    server.behave(behaviour)
    ran = translate(*asking(english, clips), "--output", output, "--no-video")
    assert (ran.code, ran.err) == (0, "")
    assert "۱" in (output / "plain.fa.srt").read_text()
    assert "۲" in (output / "plain.fa.srt").read_text()


@pytest.mark.soak
def test_a_line_that_gemini_refuses_is_flagged(clips: Clips, output: Path, english: Path, server: FakeServer) -> None:
    server.behave(fake.refusing("children"))
    ran = translate(*asking(english, clips), "--output", output, "--no-video")
    assert (ran.code, ran.err) == (0, "")
    report = json.loads((output / "plain.report.json").read_text())
    assert "the translation service refused this line" in json.dumps(report["quality"])
    assert report["usage"]["input_tokens"] > 0
