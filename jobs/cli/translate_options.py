"""Arguments of `manage.py translate`, and the job options that they give."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from decimal import ROUND_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

from django.conf import settings

from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.selection import AUTO
from jobs.intake.options import JobOptions, audio_track
from jobs.pipeline.protocols import Formality
from jobs.pipeline.speech.speakers import parse_speakers
from jobs.pipeline.stages import words
from jobs.pipeline.subtitles.style import parse_style
from jobs.pipeline.text import glossary
from jobs.pipeline.text.languages import language
from jobs.worker import in_process


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command to `parser`."""
    parser.add_argument("source", help="video or audio file, or a link")
    parser.add_argument("--to", required=True, metavar="LANG", help="language of the subtitles: fa, Persian, …")
    parser.add_argument("--from", dest="spoken", metavar="LANG", help="language of the speech; detected if not given")
    parser.add_argument(
        "--audio-track",
        default="",
        metavar="TRACK",
        help="number or language of the sound track to transcribe, if the video has several",
    )
    text = parser.add_mutually_exclusive_group()
    text.add_argument(
        "--subtitles",
        type=Path,
        metavar="FILE",
        help="your own subtitle file, used instead of speech recognition; with --from, it is translated",
    )
    text.add_argument(
        "--words",
        default=words.AUTO,
        metavar="auto|speech|subtitles[:TRACK]",
        help="where the words come from: existing subtitles of the file or the site if they can be trusted, else "
        "speech (auto); always speech; only existing subtitles, of a track by its number or language",
    )
    parser.add_argument(
        "--whole-subtitles",
        action="store_true",
        help="keep subtitles of that file that do not fit two lines whole, instead of showing them in parts",
    )
    parser.add_argument(
        "--unrepaired-subtitles",
        action="store_true",
        help="use letters and punctuation of that file as they are, even if they seem to be damaged",
    )
    parser.add_argument(
        "--transcriber", choices=_engine_names(TRANSCRIBERS), default=settings.TRANSCRIBER, help="speech engine"
    )
    parser.add_argument(
        "--translator", choices=_engine_names(TRANSLATORS), default=settings.TRANSLATOR, help="translation engine"
    )
    parser.add_argument(
        "--speakers",
        default="off",
        metavar="auto|N|off",
        help="tell speakers apart: their number, or auto to estimate it; no cue then mixes two",
    )
    parser.add_argument("--formality", choices=get_args(Formality), default="auto", help="tone of the translation")
    parser.add_argument("--topic", default="", help="what the video is about, for the translator")
    parser.add_argument(
        "--glossary", type=Path, metavar="FILE", help="glossary: lines “term = translation”, or a table (CSV)"
    )
    parser.add_argument(
        "--saved-glossary",
        metavar="NAME",
        help="glossary that the owner has saved on the site; the terms of --glossary take precedence",
    )
    parser.add_argument(
        "--brief", type=Path, metavar="FILE", help="brief with topic, register, names and terms (see docs/cli.md)"
    )
    parser.add_argument(
        "--make-brief", action="store_true", help="let the language model read the transcript and write a brief first"
    )
    parser.add_argument(
        "--save-brief", type=Path, metavar="FILE", help="write the brief to FILE; without --brief, one is made"
    )
    parser.add_argument(
        "--careful", action="store_true", help="draft, criticise and revise: about three times the tokens"
    )
    parser.add_argument("--style", default="", help="style of the subtitles, such as box,large,top (see docs/cli.md)")
    parser.add_argument("--bilingual", action="store_true", help="show the original below the translation")
    video = parser.add_mutually_exclusive_group()
    video.add_argument(
        "--soft", dest="mode", action="store_const", const="soft", help="add a subtitle track, do not burn in"
    )
    video.add_argument("--no-video", dest="mode", action="store_const", const="none", help="write subtitle files only")
    parser.add_argument(
        "--cookies", type=Path, metavar="FILE", default=settings.LINK_COOKIES, help="cookies file for links"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="directory for the results (default: the current one)",
    )
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="print the minutes, the tokens and the cost that the translation will take, and end",
    )
    parser.add_argument(
        "--max-cost",
        type=_amount,
        metavar="AMOUNT",
        help="most money the job may cost; a job that paused there goes on when the command is run again with more",
    )
    parser.add_argument("--max-tokens", type=_count, metavar="N", help="most tokens the job may use")
    parser.add_argument("--owner", default=in_process.COMMAND, metavar="USER", help="user who owns the job on the site")
    parser.add_argument("--json", action="store_true", help="write one JSON object per line, for scripts")
    parser.set_defaults(mode="burn")


def job_options(options: dict[str, Any], saved: glossary.Entries = ()) -> JobOptions:
    """The job options from parsed arguments, with a `saved` glossary. Raises PipelineError for a value that cannot be
    used.
    """
    terms = glossary.merged(saved, glossary.read_file(options["glossary"]) if options["glossary"] else ())
    return JobOptions(
        target=language(options["to"]).code,
        spoken=language(options["spoken"]).code if options["spoken"] else None,
        brought=options["subtitles"] is not None,
        whole_subtitles=options["whole_subtitles"],
        unrepaired_subtitles=options["unrepaired_subtitles"],
        style=parse_style(options["style"]),
        bilingual=options["bilingual"],
        mode=options["mode"],
        formality=options["formality"],
        glossary=glossary.pairs(terms),
        notes=glossary.notes(terms),
        topic=options["topic"],
        reads_first=options["brief"] is None and (options["make_brief"] or options["save_brief"] is not None),
        careful=options["careful"],
        transcriber=options["transcriber"],
        translator=options["translator"],
        cookies=options["cookies"],
        audio_track=audio_track(options["audio_track"]),
        speakers=parse_speakers(options["speakers"]),
        words=words.parse_words(options["words"]),
    )


def caps_of(options: dict[str, Any]) -> dict[str, Any]:
    """The caps of the job that are given, as fields of its row."""
    return {name: options[name] for name in ("max_cost", "max_tokens") if options[name] is not None}


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"“{text}” is not an amount of money") from None
    if not (amount.is_finite() and 0 < amount < 10**9):
        raise ArgumentTypeError(f"“{text}” is not an amount above 0")
    return amount.quantize(Decimal("0.01"), ROUND_UP)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**15:
        raise ArgumentTypeError(f"“{text}” is not a number above 0")
    return int(text)


def _engine_names(specs: Any) -> list[str]:
    return [AUTO, *(spec.name for spec in specs)]
