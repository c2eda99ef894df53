"""The reader of uploaded subtitles: formats, encodings, and invalid files."""

from __future__ import annotations

from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.pipeline.errors import (
    EmptyFile,
    NoSubtitleLines,
    NoSuchFile,
    NotAFile,
    PipelineError,
    TooLarge,
    UnreadableSubtitles,
)
from jobs.pipeline.subtitles import reader as given_module
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.formats.event import ProblemKind
from jobs.pipeline.subtitles.reader import read_subtitles
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language
from tests.examples import WITH_FIXTURES

ONE_CUE = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def cues_of(path: Path) -> list[Cue]:
    return list(read_subtitles(path).cues)


def texts(path: Path) -> list[str]:
    return [cue.source for cue in cues_of(path)]


def written(directory: Path, content: str | bytes, name: str = "given.srt") -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Formats


def test_the_bundled_persian_subtitles_come_without_their_marks(data: Path) -> None:
    cues = cues_of(data / "sample" / "sample.fa.srt")
    assert len(cues) == 8
    assert cues[0].source == "خوش آمدید، و ممنون که تماشا می‌کنید."
    assert (cues[0].id, cues[0].start, cues[0].end) == (1, 0.6, 3.29)


def test_vtt_without_comments_styles_names_and_tags(data: Path) -> None:
    assert texts(data / "subtitles" / "notes.vtt") == ["Tom & Jerry <3", "So it begins\n1984", "The end.\n2001"]


def test_ass_gives_text_in_order_without_tags_drawings_and_layers(data: Path) -> None:
    cues = cues_of(data / "subtitles" / "styled.ass")
    assert [(cue.id, cue.start, cue.end, cue.source) for cue in cues] == [
        (1, 1.0, 3.0, "First\nand second"),
        (2, 5.0, 7.0, "Later, it comes."),
    ]


def test_ssa_is_read(tmp_path: Path) -> None:
    subtitles = pysubs2.SSAFile()
    subtitles.append(pysubs2.SSAEvent(start=1000, end=2000, text="Hello\\Nthere"))
    subtitles.save(str(tmp_path / "given.ssa"))
    assert texts(tmp_path / "given.ssa") == ["Hello\nthere"]


def test_the_name_of_a_file_does_not_decide_its_format(data: Path, tmp_path: Path) -> None:
    content = (data / "subtitles" / "styled.ass").read_bytes()
    assert texts(written(tmp_path, content, "wrong.srt"))[1] == "Later, it comes."


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("{\\an8}On top", "On top"),
        ("<i>Leaning</i> and <b>bold</b>", "Leaning and bold"),
        ("<font color='#ff0000'>Red</font>", "Red"),
        ("\u202bمتن\u202c\n\u200fدوم", "متن\nدوم"),
        ("می\u200cشود", "می\u200cشود"),
        ("- Yes?\n- No.", "- Yes?\n- No."),
        ("above\n\nbelow", "above\nbelow"),
        ("Which year?\n1984", "Which year?\n1984"),
        ("2 < 3 > 1", "2 < 3 > 1"),
        ("cafe\u0301", "caf\u00e9"),
        ("bell\x07 and\ttab", "bell and tab"),
    ],
)
def test_text_is_cleaned_and_its_lines_stay(tmp_path: Path, raw: str, clean: str) -> None:
    assert texts(written(tmp_path, ONE_CUE.format(raw))) == [clean]


def test_cues_are_sorted_and_those_that_stand_twice_come_once(tmp_path: Path) -> None:
    early, late = "00:00:01,000 --> 00:00:02,000\nearly\n\n", "00:00:03,000 --> 00:00:04,000\nlate\n\n"
    assert texts(written(tmp_path, late + early + late)) == ["early", "late"]


def test_times_are_kept_as_they_are_overlaps_too(tmp_path: Path) -> None:
    path = written(tmp_path, "00:00:01,000 --> 00:00:05,000\na\n\n00:00:02,000 --> 00:00:03,000\nb\n\n")
    assert [(cue.start, cue.end) for cue in cues_of(path)] == [(1.0, 5.0), (2.0, 3.0)]


def test_cues_without_length_last_for_the_time_to_read_and_those_without_text_are_named(tmp_path: Path) -> None:
    none, backwards = "00:00:01,000 --> 00:00:01,000\na\n\n", "00:00:05,000 --> 00:00:04,000\nb\n\n"
    empty, good = "00:00:06,000 --> 00:00:07,000\n\u200f \n\n", "00:00:08,000 --> 00:00:09,000\nc\n\n"
    reading = read_subtitles(written(tmp_path, none + backwards + empty + good))
    assert [(cue.start, cue.end, cue.source) for cue in reading.cues] == [(1, 2, "a"), (5, 6, "b"), (8, 9, "c")]
    assert [(problem.line, problem.kind) for problem in reading.problems] == [
        (1, ProblemKind.END_ESTIMATED),
        (4, ProblemKind.END_ESTIMATED),
        (7, ProblemKind.NO_TEXT),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_newline(tmp_path: Path, newline: str) -> None:
    content = ONE_CUE.format("a\nb") + "\n2\n00:00:03,000 --> 00:00:04,000\nc"
    assert texts(written(tmp_path, content.replace("\n", newline).encode())) == ["a\nb", "c"]


# Encodings


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("persian_cp1256.srt", "خوش آمديد، و ممنون كه تماشا مي‌كنيد."),
        ("persian_utf16.srt", "خوش آمدید، و ممنون که تماشا می‌کنید."),
        ("persian_utf8_bom.srt", "خوش آمدید، و ممنون که تماشا می‌کنید."),
        ("french_cp1252.srt", "Voilà, c'était très élégant."),
        ("russian_cp1251.srt", "Привет, как дела?"),
    ],
)
def test_files_in_the_usual_encodings(data: Path, name: str, first: str) -> None:
    assert texts(data / "subtitles" / name)[0] == first


@pytest.mark.parametrize(
    ("lines", "right"),
    [
        (["naïve".encode(), b"caf\xe9 noir"], ["naïve", "café noir"]),
        (["It’s me.".encode(), b"caf\xe9", b"plain"], ["It’s me.", "café", "plain"]),
        (
            ["سلام، حال شما چطور است؟".encode(), "خداحافظ دوستان عزيز".encode("cp1256")],
            ["سلام، حال شما چطور است؟", "خداحافظ دوستان عزيز"],
        ),
        (
            ["Привет, как дела?".encode(), "Пока, друзья мои.".encode("cp1251")],
            ["Привет, как дела?", "Пока, друзья мои."],
        ),
        (["Привет".encode(), "сло".encode() + b"\xc0\x80" + "во".encode()], ["Привет", "сло\ufffd\ufffdво"]),
        (["你好世界".encode(), "再".encode() + b"\xe4" + "见".encode()], ["你好世界", "再\ufffd见"]),
    ],
)
def test_lines_of_another_encoding_in_utf8(tmp_path: Path, lines: list[bytes], right: list[str]) -> None:
    """They are decoded by themselves; a wrong byte among right letters is one character."""
    blocks = [b"%d\r\n00:00:%02d,000 --> 00:00:%02d,500\r\n%s" % (at, at, at, line) for at, line in enumerate(lines, 1)]
    assert texts(written(tmp_path, b"\r\n\r\n".join(blocks))) == right


@pytest.mark.parametrize("encoding", ["utf-8", "cp1256"])
def test_a_mark_of_utf8_before_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "پدر گفت چرا ژاله نيامد و چيزي نگفت"
    assert texts(written(tmp_path, b"\xef\xbb\xbf" + ONE_CUE.format(text).encode(encoding))) == [text]


def test_zeros_behind_the_text_are_left_out(tmp_path: Path) -> None:
    assert texts(written(tmp_path, ONE_CUE.format("سلام").encode() + bytes(4096))) == ["سلام"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-16-le", "A line without a mark, سلام"),
        ("utf-16-be", "A line without a mark, سلام"),
        ("utf-32", "A line with a mark, سلام"),
        ("cp1256", "پدر گفت چرا ژاله نيامد و چيزي نگفت"),
        ("cp1256", "أهلا وسهلا بكم في هذا الفيديو"),
        ("latin-1", "¿Qué pasó mañana? El niño comió jamón."),
        ("cp1252", "Über die schöne Straße fährt ein großer Bus."),
        ("cp1250", "Dzień dobry. Wczoraj zapomniałem płaszcza w pociągu, źdźbło."),
        ("cp1254", "Bugün hava çok soğuk, şapkamı trende unuttum. Güzel bir gün değil mi?"),
        ("koi8_r", "Привет, как дела? Сегодня мы научимся делать приложение."),
        ("cp1253", "Καλημέρα, τι κάνετε σήμερα; Ο καιρός είναι πολύ κρύος."),
        ("cp1255", "שלום וברוכים הבאים לסרטון הזה. היום נלמד איך לבנות אפליקציה"),
        ("cp932", "今日は天気がとても良いので、公園に行って散歩をしました。"),
        ("gb18030", "今天的天气非常好，所以我们决定去公园散步和野餐。你好吗？"),
        ("cp949", "오늘은 날씨가 정말 좋아서 우리는 공원에 산책하러 갔습니다."),
    ],
)
def test_a_few_words_are_enough_to_tell_the_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    assert texts(written(tmp_path, ONE_CUE.format(text).encode(encoding))) == [text]


# What is no subtitle file


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(range(256)) * 20, id="binary"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42" + b"\x00\xff" * 500, id="mp4"),
        pytest.param(b"<!DOCTYPE html><html><body>Not found</body></html>", id="html"),
        pytest.param(b"A text about nothing.\nWithout times.\n", id="text"),
        pytest.param(b'{"cues": []}', id="json"),
        pytest.param(b"\xff\xfe\x00", id="cut short"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableSubtitles, match=r"given\.srt"):
        cues_of(written(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        "WEBVTT\n\n",
        "[Script Info]\n\n[V4+ Styles]\n\n[Events]\n",
        "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\n\n",
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}\n",
    ],
)
def test_a_file_without_a_line(tmp_path: Path, content: str) -> None:
    with pytest.raises(NoSubtitleLines):
        cues_of(written(tmp_path, content))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile, match="missing"):
        cues_of(tmp_path / "missing.srt")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(NotAFile):
        cues_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b" \r\n\n"])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EmptyFile):
        cues_of(written(tmp_path, content))


def test_a_file_above_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_module, "MAX_BYTES", 1024 * 1024)
    with pytest.raises(TooLarge, match="1 MB"):
        cues_of(written(tmp_path, b"x" * (1024 * 1024 + 1)))


@settings(max_examples=150, suppress_health_check=WITH_FIXTURES)
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(max_size=200).map(lambda text: ONE_CUE.format(text).encode("utf-8", "replace"))
    )
)
def test_any_bytes_give_cues_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    try:
        cues = cues_of(written(tmp_path, content))
    except PipelineError:
        return
    assert all(cue.source.strip() and cue.end > cue.start for cue in cues)


# Round trips

WORDS = st.sampled_from(["hello", "Tom", "می‌شود", "کتاب؟", "今日は", "3,000", "&", "café", "1984", "–"])
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=2).map("\n".join)
TIMES = st.tuples(st.integers(0, 500).map(lambda place: 10_000 * place + 7), st.integers(1, 9_000))
"""Starts and lengths in milliseconds. No line touches the next: lines that do can be captions that roll."""


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
@settings(max_examples=40, suppress_health_check=WITH_FIXTURES)
@given(lines=st.lists(st.tuples(TIMES, LINES), min_size=1, max_size=8, unique_by=lambda line: line[0][0]))
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str, lines: list[tuple[tuple[int, int], str]]) -> None:
    subtitles = pysubs2.SSAFile()
    for (start, length), text in sorted(lines):
        subtitles.append(pysubs2.SSAEvent(start=start, end=start + length, text=text.replace("\n", "\\N")))
    path = tmp_path / f"written{suffix}"
    subtitles.save(str(path))
    assert [(round(cue.start * 1000), round(cue.end * 1000), cue.source) for cue in cues_of(path)] == [
        (start, start + length, text) for (start, length), text in sorted(lines)
    ]


def test_the_marks_that_the_writer_put_inside_a_line_go(tmp_path: Path) -> None:
    text = "Python قیمتش $99.99 است (نه 10-20)، یعنی ۲۰٪ کمتر!"
    fa = language("fa")
    path = tmp_path / "own.srt"
    write([Cue(id=1, start=0, end=3, source="", target=text)], path, form="target", source=fa, target=fa)
    assert "\u200e" in path.read_text(encoding="utf-8")[3:]
    assert [line.replace("\n", " ") for line in texts(path)] == [text]


HOSTILE = "00:00.0" * 4000 + "-->" * 4000


@pytest.mark.parametrize(
    "content",
    [
        f"{HOSTILE}\n1\n00:00:01,000 --> 00:00:02,000\nسلام\n",
        f"WEBVTT\n\nNOTE {HOSTILE}\n\n00:01.000 --> 00:02.000\nسلام\n",
    ],
)
def test_lines_made_to_be_slow_are_not(tmp_path: Path, content: str) -> None:
    """With a pattern that backtracks this would take hours, and the test's time limit would end it."""
    assert texts(written(tmp_path, content)) == ["سلام"]


def test_a_cue_is_not_endless(tmp_path: Path) -> None:
    (text,) = texts(written(tmp_path, ONE_CUE.format("\n".join(["<a " * 30_000, *["word " * 300] * 40]))))
    assert len(text) <= 2000
