"""Tests that heavy packages are imported only where they are used, so that processes start fast."""

from __future__ import annotations

import subprocess
import sys

import grimp
import pytest

HEAVY = {
    *("PIL", "babel", "charset_normalizer", "google.generativeai", "imageio_ffmpeg", "moviepy", "numpy"),
    *("pocketsphinx", "pysubs2", "requests", "tenacity", "torch", "urllib3", "whisperx", "yt_dlp"),
}
SITE = {"daphne", "psycopg", "twisted"}
"""Packages of the web server, and of a database that the tests' settings do not use."""

STARTED = {
    "the engines' names": ("import jobs.engines.registry", HEAVY | {"django"}),
    "a child that runs a stage": ("import jobs.engines.__main__", HEAVY | {"django"}),
    "messages": ("import jobs.pipeline.process.messages", HEAVY | {"django"}),
    "a worker, the reaper": ("import django; django.setup(); import jobs.tasks, jobs.worker.reaper", HEAVY | SITE),
    "a look at the engines": (
        "import django; django.setup(); from jobs.monitoring.health import _engines; _engines()",
        HEAVY - {"babel"},  # the pages have it anyway
    ),
}


@pytest.mark.parametrize("process", STARTED)
def test_starting_is_cheap(process: str) -> None:
    statement, unwanted = STARTED[process]
    ran = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert unwanted & set(ran.stdout.split()) == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions count as well."""
    graph = grimp.build_graph("jobs", cache_dir=None)
    modules = graph.find_descendants("jobs")
    circles = [
        (module, imported)
        for module in sorted(modules)
        for imported in sorted(graph.find_modules_directly_imported_by(module) & modules)
        if graph.find_shortest_chain(importer=imported, imported=module)
    ]
    assert circles == []
