"""A language model on 127.0.0.1 that misbehaves on demand, in the shapes of Gemini's REST API and of chat completions.

    with FakeServer() as server:
        server.behave(echo)               # from now on
        server.script(too_few, good)      # the next requests, then what `behave` said last (`good` at first)

A behaviour takes an Asked and gives a Said; the bad ones are in `misbehaviours`. What was asked is kept in
`server.asked`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Shape = Literal["gemini", "openai"]

KEY = "sk-secret-key-1234567890"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: where it went, from which port, its headers, its whole body, and what it asks: ids and texts."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    shape: Shape
    port: int = 0

    @property
    def question(self) -> dict[str, Any]:
        text = (
            self.body["contents"][0]["parts"][0]["text"]
            if self.shape == "gemini"
            else self.body["messages"][-1]["content"]
        )
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def system(self) -> str:
        if self.shape == "gemini":
            return str(self.body["systemInstruction"]["parts"][0]["text"])
        return str(self.body["messages"][0]["content"])

    @property
    def lines(self) -> dict[str, str]:
        """The texts to translate or to shorten, under their ids as sent."""
        shorten = self.question.get("shorten", {})
        return dict(self.question.get("translate") or {number: pair[1] for number, pair in shorten.items()})

    @property
    def ids(self) -> list[int]:
        return [int(number) for number in self.lines]

    @property
    def has_schema(self) -> bool:
        if self.shape == "gemini":
            return "responseSchema" in self.body.get("generationConfig", {})
        return bool(self.body.get("response_format", {}).get("type") == "json_schema")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A response. `text` is wrapped in the API's envelope, `raw` is sent unchanged."""

    text: str = ""
    raw: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    finish: Literal["stop", "length", "blocked", "prompt-blocked"] = "stop"
    wait: float = 0.0


Behaviour = Callable[[Asked], Said]


def translated(number: str, text: str) -> str:
    """A short Persian line, another one for each id, with the signs and emoji of its source."""
    signs = "".join(character for character in text if not character.isalnum() and ord(character) > 0x2000)
    return f"می‌شود {number.translate(str.maketrans('0123456789', '۰۱۲۳۴۵۶۷۸۹'))}{signs}"


def answers(asked: Asked, change: Callable[[str, str], str] = translated) -> dict[str, str]:
    return {number: change(number, text) for number, text in asked.lines.items()}


def saying(texts: Mapping[str, str], **more: Any) -> Said:
    return Said(text=json.dumps(texts, ensure_ascii=False), **more)


def good(asked: Asked) -> Said:
    return saying(answers(asked))


class FakeServer:
    """Use as a context manager. `url` is where it listens; `tokens` is the usage of one request, in and out; `streams`
    tells whether it streams answers when it is asked to.
    """

    def __init__(self, *, tokens: tuple[int, int] = (100, 50), streams: bool = False) -> None:
        self.streams = streams
        self.asked: list[Asked] = []
        self.tokens = tokens
        self._behaviour: Behaviour = good
        self._script: list[Behaviour] = []
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def script(self, *behaviours: Behaviour) -> None:
        self._script = list(behaviours)

    def answer(self, asked: Asked) -> Said:
        with self._lock:
            self.asked.append(asked)
            behaviour = self._script.pop(0) if self._script else self._behaviour
        return behaviour(asked)

    def ids(self) -> list[list[int]]:
        """The ids of every request so far."""
        return [asked.ids for asked in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: several would wait for each other's acknowledgement

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shape: Shape = "gemini" if ":generateContent" in self.path else "openai"
            headers = {name.lower(): value for name, value in self.headers.items()}
            port = self.client_address[1]
            said = server.answer(Asked(path=self.path, headers=headers, body=body, shape=shape, port=port))
            server.closing.wait(said.wait)
            try:
                if said.raw is None and said.status == 200 and server.streams and body.get("stream"):
                    self._send(replace(said, headers=STREAM | dict(said.headers)), streamed(said, server.tokens))
                    return
                self._send(said, _envelope(shape, said, server.tokens) if said.raw is None else said.raw)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _send(self, said: Said, text: str) -> None:
            payload = text.encode()
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(payload)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Suppress the log on the terminal."""

    return Handler


def _envelope(shape: Shape, said: Said, tokens: tuple[int, int]) -> str:
    return json.dumps(_gemini(said, tokens) if shape == "gemini" else _openai(said, tokens), ensure_ascii=False)


def _gemini(said: Said, tokens: tuple[int, int]) -> dict[str, Any]:
    """`candidatesTokenCount` leaves out what was thought, as Gemini does; the total does not."""
    count = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1] // 2, "totalTokenCount": sum(tokens)}
    if said.finish == "prompt-blocked":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": count}
    candidate: dict[str, Any] = {"finishReason": {"stop": 1, "length": 2, "blocked": 3}[said.finish], "index": 0}
    if said.text:
        candidate["content"] = {"role": "model", "parts": [{"text": said.text, "thoughtSignature": "c2ln"}]}
    return {"candidates": [candidate], "usageMetadata": count, "modelVersion": "fake"}


def _openai(said: Said, tokens: tuple[int, int]) -> dict[str, Any]:
    blocked = said.finish in {"blocked", "prompt-blocked"}
    return {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None if blocked else said.text},
                "finish_reason": "content_filter" if blocked else said.finish,
            }
        ],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }


STREAM = {"Content-Type": "text/event-stream"}


def event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def delta(text: str, finish: str | None = None) -> str:
    """An event with a piece of the answer."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


def streamed(said: Said, tokens: tuple[int, int] = (100, 50)) -> str:
    """A response as events, with a comment that keeps the connection alive before it and the usage after it."""
    blocked = said.finish in {"blocked", "prompt-blocked"}
    pieces = [said.text[at : at + 7] for at in range(0, len(said.text), 7)] if not blocked else []
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return "".join(
        [
            ": WAITING\n\n",
            event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]}),
            *(delta(piece) for piece in pieces),
            delta("", "content_filter" if blocked else said.finish),
            event({"choices": [], "usage": usage}),
            "data: [DONE]\n\n",
        ]
    )


def closed_port() -> str:
    """An address of this machine where nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_address[1]}"
