"""Parts of speech of English and Persian words, by statistical models that know nothing of our rules.

English: an averaged perceptron of the package `denckring-en-pos`, trained on the Universal Dependencies English Web
Treebank; 93 % of its tags are right. Persian: a conditional random field in the format of Wapiti, of the package
`gruut-lang-fa`, trained on the Bijankhan corpus, whose tags tell the ezafe. Files of the packages are read where they
lie, because importing the packages would need others.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


class NoPackage(Exception):
    """A package of requirements/quality.txt is not installed."""


def folder(package: str) -> Path:
    """The directory of an installed package, which is not imported. Raises NoPackage."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NoPackage(f"The package {package} is missing: `make quality` installs it (requirements/quality.txt).")
    return Path(found.submodule_search_locations[0])


def module(path: Path) -> ModuleType:
    """Import the one file `path`, without its package."""
    spec = importlib.util.spec_from_file_location(f"only_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NoPackage(f"{path} is no module.")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def english(words: Sequence[str]) -> list[str]:
    """The universal parts of speech (DET, ADP, PROPN …) of the words of one sentence, without punctuation marks."""
    tags: list[str] = [label.partition("|")[0] for label in _perceptron().tag(list(words))]
    return tags


@cache
def _perceptron() -> Any:
    home = folder("denckring_en_pos")
    data = json.loads(gzip.decompress((home / "data" / "tagger.json.gz").read_bytes()))
    return module(home / "perceptron.py").Tagger(
        data["weights"], data["tagdict"], data["classes"], frozenset(data["vocabulary"])
    )


def persian(words: Sequence[str]) -> list[str]:
    """The parts of speech of the words and punctuation marks of one sentence: N, V, P, CONJ … and Ne, AJe … with
    ezafe."""
    return _field().tag(words)


@cache
def _field() -> Field:
    return Field((folder("gruut_lang_fa") / "pos" / "postagger.model").read_bytes())


_PATTERN = re.compile(rb'(\w|\*):(?:([^=]*)=)?(?:%([xtm])\[(-?\d+),0(?:,"(.*)")?\])?')


class Field:
    """A linear conditional random field, from a model file of Wapiti."""

    def __init__(self, model: bytes) -> None:
        lines = model.split(b"\n")
        count = int(lines[1].split(b"#")[2].split(b"/")[0])
        self._patterns = [_PATTERN.fullmatch(_string(line)) for line in lines[2 : 2 + count]]
        at = 2 + count
        self.labels, at = self._strings(lines, at)
        observations, at = self._strings(lines, at)
        self._offsets, size = self._layout(observations)
        self._weights = np.zeros(size)
        for line in lines[at:]:
            number, _, value = line.partition(b"=")
            if value:
                self._weights[int(number)] = float.fromhex(value.decode())

    def tag(self, words: Sequence[str]) -> list[str]:
        """The likeliest sequence of labels (Viterbi)."""
        if not words:
            return []
        tokens = [word.encode() for word in words]
        steps = [self._scores(tokens, at) for at in range(len(tokens))]
        best, origins = steps[0][0], []
        for single, pair in steps[1:]:
            paths = best[:, None] + pair
            origins.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + single
        path = [int(best.argmax())]
        for origin in reversed(origins):
            path.append(int(origin[path[-1]]))
        return [self.labels[at].decode() for at in reversed(path)]

    def _strings(self, lines: Sequence[bytes], at: int) -> tuple[list[bytes], int]:
        count = int(lines[at].split(b"#")[2])
        return [_string(line) for line in lines[at + 1 : at + 1 + count]], at + 1 + count

    def _layout(self, observations: Sequence[bytes]) -> tuple[Mapping[bytes, tuple[int, int]], int]:
        """For each observation the places of its weights for one label and for two (-1: none), and their number."""
        many, place, found = len(self.labels), 0, {}
        for observation in observations:
            kind = observation[:1]
            single = place if kind in b"u*" else -1
            place += many * (kind in b"u*")
            pair = place if kind in b"b*" else -1
            place += many * many * (kind in b"b*")
            found[observation] = single, pair
        return found, place

    def _scores(self, tokens: Sequence[bytes], at: int) -> tuple[Any, Any]:
        many = len(self.labels)
        single, pair = np.zeros(many), np.zeros((many, many))
        for pattern in self._patterns:
            one, two = self._offsets.get(_observation(pattern, tokens, at), (-1, -1))
            if one >= 0:
                single += self._weights[one : one + many]
            if two >= 0:
                pair += self._weights[two : two + many * many].reshape(many, many)
        return single, pair


def _string(line: bytes) -> bytes:
    """A string of the model file, which is written with its length before and a comma after it."""
    return line.partition(b":")[2].removesuffix(b",")


def _observation(pattern: re.Match[bytes] | None, tokens: Sequence[bytes], at: int) -> bytes:
    """The view that a pattern of the model has of one word: itself, a part of it, or whether there is such a part."""
    if pattern is None or not pattern[3]:
        return pattern[0] if pattern else b""
    place = at + int(pattern[4])
    token = tokens[place] if 0 <= place < len(tokens) else _outside(place, len(tokens))
    seen = token if pattern[3] == b"x" else _seen(pattern[3], pattern[5], token)
    return b"%s:%s=%s" % (pattern[1], pattern[2], seen)


def _outside(place: int, count: int) -> bytes:
    return b"_x-%d" % -place if place < 0 else b"_x+%d" % (place - count + 1)


def _seen(kind: bytes, expression: bytes, token: bytes) -> bytes:
    known = expression.replace(rb"\p", rb"[!-/:-@\[-`{-~]").replace(rb"\d", rb"[0-9]")
    found = re.search(known, token, re.DOTALL)
    if kind == b"t":
        return b"true" if found else b"false"
    return found[0] if found else b""
