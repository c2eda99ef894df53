"""Options of the OpenAI-compatible translator, read from environment variables that begin with OPENAI_COMPATIBLE_."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jobs.engines.llm.batches import BATCH_LINES

LABEL = "OpenAI-compatible server"
"""Name of the engine in sentences for people, while no address is set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Settings of the engine; `api_key` and `proxy` are secrets and are never shown."""

    base_url: str = field(
        default="", metadata={"help": "Address up to and with /v1, such as http://localhost:11434/v1 for Ollama."}
    )
    model: str = field(default="", metadata={"help": "Model, as the server names it."})
    api_key: str = field(default="", repr=False, metadata={"help": "Key, if the server wants one.", "secret": True})
    proxy: str = field(
        default="",
        repr=False,
        metadata={
            "help": "Proxy for this server alone, such as http://user:password@host:port or socks5h://host:port.",
            "secret": True,
        },
    )
    timeout: float = field(
        default=180.0,
        metadata={
            "help": "Seconds of silence until a request is given up and its lines are asked for in smaller parts."
        },
    )
    stream: bool = field(default=True, metadata={"help": "Whether answers are streamed, where the server can."})
    temperature: float = field(
        default=0.3, metadata={"help": "Randomness of the answers, 0 to 2; -1 leaves it to the server."}
    )
    answer_tokens: int = field(
        default=8192, metadata={"help": "Tokens of one answer at most, thoughts included; 0 leaves it to the server."}
    )
    batch_lines: int = field(default=BATCH_LINES, metadata={"help": "Subtitle lines a request; small models like 20."})
    max_tokens: int = field(
        default=0,
        metadata={"help": "Tokens a job may use, in and out together; 0 for LIMIT_TOKENS_A_JOB.", "aside": True},
    )
    first_words: bool = field(
        default=True,
        metadata={
            "help": "Have the model copy the first words of every line, so that no text can come under another id "
            "unnoticed (about 1.2 times the tokens); 0: only where the texts alone would not show it."
        },
    )


def label(options: Options) -> str:
    """Name of the server in sentences for people: its host and port, else LABEL."""
    return host(options.base_url) or LABEL


def host(address: str) -> str:
    """Host and port of `address`, without the password it may hold; "" when it is not an address."""
    return urlsplit(address).netloc.rpartition("@")[2] if is_address(address) else ""


def is_address(address: str) -> bool:
    """Tell whether `address` can be parsed as a URL with a valid port."""
    try:
        return urlsplit(address).port != 0  # urlsplit checks the port only when it is read
    except ValueError:
        return False
