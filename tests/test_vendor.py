"""Tests that vendored files are those of the lock file, with their licences."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline.subtitles.fonts import FONTS

VENDOR = Path(__file__).resolve().parents[1] / "static" / "vendor"
PACKAGES: list[dict[str, Any]] = json.loads((VENDOR / "vendor.lock.json").read_text(encoding="utf-8"))["packages"]
FILES: dict[str, str] = {file["path"]: file["sha256"] for package in PACKAGES for file in package["files"]}
LICENCES = {
    "OFL-1.1": "SIL Open Font License, Version 1.1",
    "MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "Bitstream-Vera": "Permission is hereby granted, free of charge, to any person obtaining a copy of the fonts",
    "ISC": "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",
}


@pytest.mark.parametrize("path", FILES)
def test_each_file_is_the_one_in_the_lock(path: str) -> None:
    assert hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() == FILES[path]


def test_nothing_is_there_that_the_lock_does_not_name() -> None:
    there = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert there == {*FILES, "vendor.lock.json"}


def test_types_and_tests_are_those_of_the_vendored_client() -> None:
    """tus-js-client is in node_modules for its types, and for an upload of a large file by node."""
    locked = json.loads((VENDOR.parents[1] / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    (vendored,) = [package["version"] for package in PACKAGES if package["name"] == "tus-js-client"]
    assert locked["node_modules/tus-js-client"]["version"] == vendored


def test_the_lock_of_npm_names_no_registry() -> None:
    locked = json.loads((VENDOR.parents[1] / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(entry.get("version") for path, entry in locked.items() if path)
    assert not [path for path, entry in locked.items() if "resolved" in entry]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_each_package_brings_its_licence(package: dict[str, Any]) -> None:
    texts = [(VENDOR / file["path"]).read_text("utf-8") for file in package["files"] if "licences" in file["path"]]
    assert package["version"]
    assert len(texts) == 1
    assert LICENCES[package["licence"]] in " ".join(texts[0].split())


def test_the_directory_of_fonts_holds_fonts_only() -> None:
    """ffmpeg takes every file in it for a font."""
    assert {path.read_bytes()[:4] for path in FONTS.iterdir()} == {b"\0\1\0\0"}
