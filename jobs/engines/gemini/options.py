"""Options of the Gemini translator, read from environment variables that begin with GEMINI_."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.engines.llm.batches import BATCH_LINES

LABEL = "Gemini"
"""Name of the engine in sentences for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Settings of the engine; `api_key` and `proxy` are secrets and are never shown."""

    api_key: str = field(
        default="", repr=False, metadata={"help": "Key, from https://aistudio.google.com/apikey.", "secret": True}
    )
    model: str = field(
        default="gemini-flash-latest",
        metadata={"help": "Model. The default is Google's newest Flash; those with a number are retired after months."},
    )
    endpoint: str = field(default="", metadata={"help": "Address of the service, if it is not Google's own."})
    proxy: str = field(
        default="",
        repr=False,
        metadata={
            "help": "Proxy for Gemini alone, such as http://user:password@host:port or socks5h://host:port.",
            "secret": True,
        },
    )
    timeout: float = field(
        default=120.0,
        metadata={"help": "Seconds without an answer until its lines are asked for in smaller parts."},
    )
    temperature: float = field(
        default=1.0, metadata={"help": "Randomness of the answers, 0 to 2 (Google advises 1); -1 leaves it to Gemini."}
    )
    answer_tokens: int = field(
        default=32768, metadata={"help": "Tokens of one answer at most, thoughts included; 0 leaves it to Gemini."}
    )
    batch_lines: int = field(default=BATCH_LINES, metadata={"help": "Subtitle lines a request."})
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
