"""Answers of servers in tests/data/answers: JSON objects with the status, headers and body of an HTTP response."""

from __future__ import annotations

import json
from pathlib import Path

from tests.engines.fake_llm_server import Asked, Behaviour, Said

ANSWERS = Path(__file__).resolve().parent.parent / "data" / "answers"


def handed(name: str) -> Behaviour:
    """The behaviour of a server that gives the answer in the file `name`.json."""
    answer = json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
    body = answer["body"] if isinstance(answer["body"], str) else json.dumps(answer["body"], ensure_ascii=False)

    def behaviour(asked: Asked) -> Said:
        return Said(raw=body, status=answer["status"], headers=answer["headers"])

    return behaviour
