"""Copies the results of a job to the output directory of the command line."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.models import Job
from jobs.pipeline.errors import WouldOverwrite
from jobs.pipeline.filenames import result_file, result_name
from jobs.pipeline.media.atomic_files import locked, publish, writing
from jobs.pipeline.process.messages import from_builtins
from jobs.pipeline.subtitles.quality import Report
from jobs.pipeline.subtitles.style import FORMATS
from jobs.storage import artifacts

_NOT_EXPORTED = ("source", "audio")
"""Kinds of artifacts that stay on the site."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportResult:
    """The exported files. `video` is None when only subtitles were wanted or possible."""

    video: Path | None
    subtitles: Path
    files: tuple[Path, ...]
    quality: Report
    report: dict[str, Any]


def export(
    job: Job,
    name: str,
    output: Path,
    work: Path,
    brought: Iterable[Path],
    *,
    source: str | None = None,
    before_publishing: Callable[[], None] = lambda: None,
) -> ExportResult:
    """Copy the results of a completed job to `output` as NAME.…; prepared in `work`, beside it, and moved by rename.

    Earlier results of the same `source` (an absolute path or a link; by default what the job names) are replaced.
    Nothing else is: where it would be, the results are called `NAME (2).…`, `NAME (3).…`. `before_publishing` is
    called when everything is ready and nothing is in its place yet. Raises DiskFull, Unwritable.
    """
    kinds = {artifact.kind: artifact.name for artifact in job.artifacts.exclude(kind__in=_NOT_EXPORTED)}
    source_id = _id_of(job.source if source is None else source)
    with writing(output):
        for kind, file in kinds.items():
            _copy(artifacts.job_dir(job.pk) / file, work / kind, link=kind == "video")
        with locked(output):
            names, before = _free_names(job, name, kinds, output, tuple(brought), source_id)
            made = {"source": source_id, "files": sorted({*before, *names.values()})}
            report = {**(job.result or {}), "files": sorted(names.values()), "made": made}
            (work / "report").write_text(json.dumps(report, ensure_ascii=False, indent=2), errors="backslashreplace")
            # The report first: the next run reads in it which files are of this source. The video last: a script that
            # waits for it finds all other files.
            order = sorted(names, key=lambda kind: (kind == "video", kind != "report"))
            before_publishing()
            publish({work / kind: output / names[kind] for kind in order})
    return ExportResult(
        video=output / names["video"] if "video" in names else None,
        subtitles=output / names[f"{job.target}.srt"],
        files=tuple(output / names[kind] for kind in order),
        quality=from_builtins(Report, report["quality"]),
        report=report,
    )


def _free_names(
    job: Job, name: str, kinds: Mapping[str, str], output: Path, brought: Sequence[Path], source_id: str
) -> tuple[dict[str, str], set[str]]:
    """The name of each kind of file in `output`, and the names of files that earlier runs for the same source wrote.

    The first number is taken with which no other file has one of the names. Names that some file systems treat as
    equal (case, composed and decomposed characters) count as equal.
    """
    existing = {_folded(path.name) for path in output.iterdir() if not path.is_dir()}
    for count in itertools.count(1):
        names = _names(job, name if count == 1 else f"{name} ({count})", kinds, output, brought)
        before = _made_before(output / names["report"], source_id)
        if (existing - set(map(_folded, before))).isdisjoint(map(_folded, names.values())):
            return names, before
    raise AssertionError("there is always one more number")


def _names(job: Job, name: str, kinds: Mapping[str, str], output: Path, brought: Sequence[Path]) -> dict[str, str]:
    names = {kind: result_file(name, kind, file, job.target) for kind, file in kinds.items()}
    original = f"{job.spoken}.srt"
    if original in names and is_brought(output / names[original], brought):
        del names[original]
    return {**names, "report": f"{name}.report.json"}


def _id_of(source: str) -> str:
    """A hash of the source's path or link. The path itself would reveal names of people to readers of the report."""
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:16]


def _made_before(report: Path, source_id: str) -> set[str]:
    """The names of files that runs for the same source wrote, from their last report; empty without a valid one."""
    try:
        made = json.loads(report.read_text())["made"]
        return set(made["files"]) if made["source"] == source_id else set()
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return set()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def check_overwriting(name: str, target: str, output: Path, brought: Iterable[Path]) -> None:
    """Refuse a result that would replace an input file. Raises WouldOverwrite."""
    for ending in ("mp4", "mkv", *FORMATS):
        place = output / f"{result_name(name)}.{target}.{ending}"
        if is_brought(place, brought):
            raise WouldOverwrite(path=str(place))


def is_brought(place: Path, brought: Iterable[Path]) -> bool:
    """Whether `place` is one of the input files `brought`."""
    return any(path.resolve() == place.resolve() for path in brought)


def _copy(source: Path, place: Path, *, link: bool) -> None:
    """Copy a file; with `link`, make a hard link where both are on one file system."""
    if link:
        with suppress(OSError):
            os.link(source, place)
            return
    shutil.copyfile(source, place)
