"""The measurement of recognition with real weights, `python -m tests.quality`, run by `make quality`.

It takes about 40 minutes on two cores, `--quick` two. References are measured in the same run, in turns with ours. A
missed target is shown, and is no failure; `--quick` fails for gross faults, none of which depends on the machine's
speed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.quality import sound
from tests.quality.engines import REFERENCES, Session
from tests.quality.material import Clip, NoVoice
from tests.quality.rows import Row, table, write
from tests.quality.scoring import looped_words, word_errors
from tests.quality.sections import QUICK, SECTIONS
from tests.quality.taggers import NoPackage
from tests.quality.weights import BUILD, NoWeights


def main() -> int:
    options = _options()
    try:
        return _run(options)
    except (NoWeights, NoVoice, NoPackage) as missing:
        logging.error("%s", missing)
        return 1


def _run(options: argparse.Namespace) -> int:
    session = Session(quick=options.quick)
    try:
        if options.engine_only:
            _try(session, options.engine_only, options.text, options.language, references=options.references)
            return 0
        rows = _measure(session, options.only or (QUICK if options.quick else tuple(SECTIONS)))
    finally:
        session.rest()
    write(rows, options.json)
    missed = [row for row in rows if row.met is False]
    logging.info("%s\n\n%d targets missed; written: %s", table(rows), len(missed), options.json)
    return int(options.quick and bool(missed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description="Measure recognition.")
    parser.add_argument("--quick", action="store_true", help="two minutes; fails for gross faults")
    parser.add_argument("--only", type=_sections, default=_sections(os.environ.get("ONLY", "")), metavar="NAME,NAME")
    parser.add_argument("--json", type=Path, default=BUILD.with_suffix(".json"), metavar="FILE")
    parser.add_argument("--engine-only", type=Path, metavar="FILE", help="recognise one sound with ours and show it")
    parser.add_argument("--text", type=Path, metavar="FILE", help="with --engine-only: what is said, for the errors")
    parser.add_argument("--language", metavar="CODE", help="with --engine-only: its language")
    parser.add_argument("--references", action="store_true", help="with --engine-only: the bare engines, too")
    return parser.parse_args()


def _sections(names: str) -> tuple[str, ...]:
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    if unknown := [name for name in chosen if name not in SECTIONS]:
        raise SystemExit(f"There is no section {', '.join(unknown)}; there are: {', '.join(SECTIONS)}")
    return chosen


def _measure(session: Session, names: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        logging.info("measuring %s …", name)
        found = SECTIONS[name](session)
        logging.info("%s\n", table(found))
        rows += found
    return rows


def _try(session: Session, path: Path, text: Path | None, language: str | None, *, references: bool) -> None:
    """Show what ours hears in a file, its cost, and its errors if the text is known."""
    said = text.read_text(encoding="utf-8") if text else ""
    clip = Clip(name=f"try-{path.stem}", language=language or "", sound=sound.decode(path), text=said)
    for name in ("ours", *(REFERENCES if references else ())):
        heard = session.engine(name).hear(clip.path(), language)
        logging.info("%s: %s\n%s", name, heard.languages, heard.failure)
        for one in heard.texts:
            unsure = " unsure" if one.get("unsure") else ""
            logging.info("  %7.2f %7.2f  %s%s", one["start"], one["end"], one["text"], unsure)
        logging.info("  CPU %.1f s, %d pieces, peak %.0f MB", heard.cpu, heard.pieces, heard.peak)
        if said:
            loops = looped_words(said, [heard.text])
            logging.info("  WER %.1f %%, %d words in loops", word_errors(said, heard.text).percent, loops)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    sys.exit(main())
