"""`manage.py translate`: one video, from the command line."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO, cast, get_args

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs import terminal
from jobs.engines.choose import AUTO, Engines
from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import TranscriberSpec
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.fetch import Limits, LinkOptions
from jobs.pipeline.languages import Language, language
from jobs.pipeline.produce import Crew, Order, produce
from jobs.pipeline.protocols import Brief, Formality, Transcriber, Translator
from jobs.pipeline.subtitle import parse_style
from jobs.pipeline.translate import glossary, is_captions

_DEMO = "offline demo engines: expect errors"


class Command(BaseCommand):
    help = "Translate a video: a file or a link. Writes the subtitled video, its subtitles and a quality report."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a video or sound file, or a link")
        parser.add_argument("--to", required=True, metavar="LANG", help="language of the subtitles: fa, Persian, …")
        parser.add_argument("--from", dest="spoken", metavar="LANG", help="language of the speech; told if not given")
        parser.add_argument(
            "--subtitles",
            type=Path,
            metavar="FILE",
            help="subtitles to use instead of recognising speech: finished ones, or with --from ones to translate",
        )
        parser.add_argument("--transcriber", choices=_names(TRANSCRIBERS), default=settings.TRANSCRIBER)
        parser.add_argument("--translator", choices=_names(TRANSLATORS), default=settings.TRANSLATOR)
        parser.add_argument("--formality", choices=get_args(Formality), default="auto", help="tone of the translation")
        parser.add_argument("--topic", default="", help="what the video is about, for the translator")
        parser.add_argument("--glossary", type=Path, metavar="FILE", help="lines of “term = translation”")
        parser.add_argument("--style", default="", help="look of the subtitles, such as box,large,top (see the README)")
        parser.add_argument("--bilingual", action="store_true", help="show the source below the translation")
        video = parser.add_mutually_exclusive_group()
        video.add_argument("--soft", dest="mode", action="store_const", const="soft", help="a track, not burned in")
        video.add_argument("--no-video", dest="mode", action="store_const", const="none", help="only subtitles")
        parser.add_argument("--cookies", type=Path, metavar="FILE", default=settings.LINK_COOKIES, help="for links")
        parser.add_argument(
            "--output", type=Path, default=Path(), metavar="DIR", help="where results go; default: here"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line, for scripts")
        parser.set_defaults(mode="burn")

    def handle(self, *_args: Any, **options: Any) -> None:
        _stop_cleanly()
        try:
            order = _order(options)
            # Django's wrapper ends every write with a newline, which no bar survives; the stream is inside it.
            with terminal.display(cast(TextIO, vars(self.stdout)["_out"]), as_json=options["json"]) as display:
                result = produce(order, _crew(order, options, display), display)
                display.result(result)
            if options["verbosity"] >= 2 and not options["json"]:
                self.stdout.write(result.quality.as_text())
        except PipelineError as error:
            self._fail(error, options)
        except BrokenPipeError:  # `| head` has read enough; nobody listens any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted: nothing is left behind.")
            sys.exit(130)

    def _fail(self, error: PipelineError, options: dict[str, Any]) -> NoReturn:
        if options["json"]:
            self.stdout.write(json.dumps({"event": "error", **error.record(), "sentence": str(error)}))
        self.stderr.write(" ".join(str(error).split()))
        if options["verbosity"] >= 3:
            self.stderr.write(f"{error.detail}\n{traceback.format_exc()}")
        sys.exit(1)


def _names(specs: Any) -> list[str]:
    return [AUTO, *(spec.name for spec in specs)]


def _order(options: dict[str, Any]) -> Order:
    return Order(
        source=options["source"],
        target=language(options["to"]),
        output=options["output"],
        spoken=language(options["spoken"]) if options["spoken"] else None,
        subtitles=options["subtitles"],
        style=parse_style(options["style"]),
        bilingual=options["bilingual"],
        mode=options["mode"],
        formality=options["formality"],
        glossary=glossary(options["glossary"]) if options["glossary"] else (),
        topic=options["topic"],
        limits=Limits(max_bytes=settings.MAX_BYTES, max_seconds=settings.MAX_SECONDS, max_pixels=settings.MAX_PIXELS),
        link=LinkOptions(
            cookies=options["cookies"],
            proxy=settings.LINK_PROXY,
            deno=settings.LINK_DENO,
            allow_loopback=settings.LINK_TEST_HOSTS,
        ),
    )


def _crew(order: Order, options: dict[str, Any], display: terminal.Display) -> Crew:
    """The engines, refused here and now when they cannot do the languages."""
    engines = Engines(
        transcriber=options["transcriber"], translator=options["translator"], options=settings.ENGINE_OPTIONS
    )
    spoken = order.spoken.code if order.spoken else None
    heard = None if order.subtitles else engines.choose_transcriber(spoken)
    if needs_translator(order):
        known = spoken or (None if heard else order.target.code)
        engines.choose_translator(known, order.target.code, heard)
    return Crew(
        transcriber=lambda: _transcriber(heard, display),
        translator=lambda source: _translator(engines, source, order.target, heard, display),
    )


def needs_translator(order: Order) -> bool:
    """Not where the source is known to be in the target language already."""
    source = order.spoken or (order.target if order.subtitles else None)
    return source is None or not is_captions(Brief(source=source.code, target=order.target.code))


def _transcriber(spec: TranscriberSpec | None, display: terminal.Display) -> Transcriber:
    assert spec is not None, "only asked for where no subtitles were brought"
    if spec.demo:
        display.note(f"{spec.label} ({_DEMO})")
    return spec.create(settings.ENGINE_OPTIONS[spec.name])


def _translator(
    engines: Engines, source: str, target: Language, heard: TranscriberSpec | None, display: terminal.Display
) -> Translator:
    spec = engines.choose_translator(source, target.code, heard)
    if spec.demo:
        display.note(f"{spec.label} ({_DEMO})")
    return spec.create(settings.ENGINE_OPTIONS[spec.name])


def _stop_cleanly() -> None:
    """The first signal unwinds everything; those after it must not interrupt that."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN):  # which is what nohup sets
            signal.signal(number, interrupt)
