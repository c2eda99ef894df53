"""The results of a job, brought to the directory that the command line names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.models import Job
from jobs.pipeline.errors import WouldOverwrite
from jobs.pipeline.filenames import result_file, result_name
from jobs.pipeline.media.atomic_files import publish, writing
from jobs.pipeline.process.messages import shaped
from jobs.pipeline.subtitles.quality import Report
from jobs.storage import artifacts

_KEPT_BACK = ("source", "audio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """What came out. `video` is None where only subtitles were wanted or possible."""

    video: Path | None
    subtitles: Path
    files: tuple[Path, ...]
    quality: Report
    report: dict[str, Any]


def deliver(job: Job, name: str, output: Path, work: Path, brought: Iterable[Path]) -> Delivered:
    """Put the results of a completed job into `output` as NAME.…; they appear by rename out of `work`, beside it.

    Files of `brought` are never replaced. Raises DiskFull, Unwritable.
    """
    kinds = {artifact.kind: artifact.name for artifact in job.artifacts.exclude(kind__in=_KEPT_BACK)}
    names = {kind: result_file(name, kind, file, job.target) for kind, file in kinds.items()}
    own_words = f"{job.spoken}.srt"
    if own_words in names and is_brought(output / names[own_words], brought):
        del names[own_words]
    names["report"] = f"{name}.report.json"
    report = {**(job.result or {}), "files": sorted(names.values())}
    with writing(output):
        for kind in names.keys() & kinds.keys():
            _copy(artifacts.home(job.pk) / kinds[kind], work / kind, link=kind == "video")
        (work / "report").write_text(json.dumps(report, ensure_ascii=False, indent=2), errors="backslashreplace")
        # The video last: whoever waits for it finds all the rest.
        order = sorted(names, key=lambda kind: kind == "video")
        publish({work / kind: output / names[kind] for kind in order})
    return Delivered(
        video=output / names["video"] if "video" in names else None,
        subtitles=output / names[f"{job.target}.srt"],
        files=tuple(output / names[kind] for kind in order),
        quality=shaped(Report, report["quality"]),
        report=report,
    )


def check_overwriting(name: str, target: str, output: Path, brought: Iterable[Path]) -> None:
    """What was brought is never replaced: a result may have the name of what it is made of. Raises WouldOverwrite."""
    for ending in ("mp4", "mkv", "srt", "vtt", "ass"):
        place = output / f"{result_name(name)}.{target}.{ending}"
        if is_brought(place, brought):
            raise WouldOverwrite(path=str(place))


def is_brought(place: Path, brought: Iterable[Path]) -> bool:
    """Whether `place` is a file that the person gave."""
    return any(path.resolve() == place.resolve() for path in brought)


def _copy(source: Path, place: Path, *, link: bool) -> None:
    """A copy; of a large file, where it is on the same disk, a second name, which takes no room."""
    if link:
        with suppress(OSError):
            os.link(source, place)
            return
    shutil.copyfile(source, place)
