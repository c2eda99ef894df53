"""The results of the benchmarks: rows of a table and of a JSON file."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.benchmarks.measure import Sample, middle


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One number. `limit` is the target (None for a number that only explains another); `detail` is for the JSON."""

    name: str
    value: float
    unit: str
    kind: Literal["at most", "at least"] = "at most"
    limit: float | None = None
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value <= self.limit if self.kind == "at most" else self.value >= self.limit


def at(samples: Sequence[float], share: float) -> float:
    """The quantile of sorted samples: the one below which this share of them lies."""
    return samples[min(len(samples) - 1, round(share * (len(samples) - 1)))]


def spread(samples: Sequence[float]) -> str:
    """The spread of sorted samples, in milliseconds."""
    return f"p50 {at(samples, 0.5):.0f}, p95 {at(samples, 0.95):.0f}, max {samples[-1]:.0f} ms of {len(samples)}"


def ratio(
    name: str, above: Sequence[Sample], below: Sequence[Sample], *, limit: float, kind: Literal["at most", "at least"]
) -> Row:
    """The ratio of two median wall times. The note has that of the CPU times, and the medians in seconds."""
    one, other = middle(above), middle(below)
    return Row(
        name=name,
        value=one.wall / other.wall,
        unit="x",
        kind=kind,
        limit=limit,
        note=f"CPU {one.cpu / other.cpu:.2f}x; wall {one.wall:.1f} s against {other.wall:.1f} s; "
        f"CPU {one.cpu:.1f} s against {other.cpu:.1f} s; {len(above)} and {len(below)} runs",
        detail={
            "cpu_ratio": one.cpu / other.cpu,
            "samples": [[asdict(sample) for sample in side] for side in (above, below)],
        },
    )


def table(rows: Sequence[Row]) -> str:
    """The rows under each other, notes included."""
    wide = max((len(row.name) for row in rows), default=0)
    lines = [f"{'what':{wide}}  {'measured':>12}  {'target':>15}", "-" * (wide + 40)]
    for row in rows:
        target = "" if row.limit is None else f"{row.kind} {row.limit:g} {row.unit}"
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        lines.append(f"{row.name:{wide}}  {row.value:9.3f} {row.unit:<2}  {target:>15}  {verdict}".rstrip())
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


def write(rows: Sequence[Row], path: Path, *, quick: bool) -> None:
    """The rows, the machine and the load it was under, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "python": sys.version.split()[0],
            "load": os.getloadavg(),
        },
        "rows": [{**asdict(row), "met": row.met} for row in rows],
    }
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
