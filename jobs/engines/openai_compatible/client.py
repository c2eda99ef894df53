"""Client of OpenAI's chat completions and of servers with the same API, over plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, RequestException, Response, Session
from requests.auth import AuthBase

from jobs.engines.llm.prompt import Question, schema
from jobs.engines.llm.remote import (
    AnswerFormat,
    BoundedAdapter,
    FormatNotSupported,
    Reply,
    RequestFailed,
    Service,
    credentials,
)
from jobs.engines.llm.translator import Answer, LlmTranslator
from jobs.engines.openai_compatible.options import Options, label
from jobs.pipeline.protocols import Usage

_MOST_TOKENS = 1_000_000_000
"""Token counts above this are ignored as invalid: Python's JSON reader accepts numbers up to Infinity."""


def translator(options: Options) -> LlmTranslator:
    """Make the translator from its options."""
    return LlmTranslator(
        OpenAiModel(options),
        name="openai_compatible",
        batch_lines=options.batch_lines,
        max_tokens=options.max_tokens,
        first_words=options.first_words,
    )


class OpenAiModel:
    """A model behind a chat-completions server (see translator.LanguageModel).

    `ask` lowers the demanded answer format step by step when the server rejects it, and keeps the lower one.
    """

    def __init__(self, options: Options) -> None:
        self.label = label(options)
        self._options = options
        self._service = Service(
            label=self.label,
            model=options.model,
            key_setting="OPENAI_COMPATIBLE_API_KEY",
            model_setting="OPENAI_COMPATIBLE_MODEL and OPENAI_COMPATIBLE_BASE_URL",
            proxy_setting="OPENAI_COMPATIBLE_PROXY",
            secrets=(options.api_key, options.proxy, *credentials(options.proxy), *credentials(options.base_url)),
        )
        self._session = Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, BoundedAdapter())
        self._session.auth = _Bearer(options.api_key)
        self._format = AnswerFormat.SCHEMA

    def ask(self, question: Question) -> Answer:
        """Send one question. Raises RequestFailed."""
        while True:
            response = self._post(_body(self._options.model, question, self._format))
            if isinstance(response, RequestFailed):
                raise response
            if response.ok:
                return self._answer(response)
            trouble = self._service.http_error(
                Reply(status=response.status_code, body=response.text, headers=response.headers)
            )
            if not isinstance(trouble, FormatNotSupported) or self._format is AnswerFormat.PLAIN:
                raise trouble
            self._format = AnswerFormat(self._format - 1)

    def _post(self, body: Mapping[str, Any]) -> Response | RequestFailed:
        """Send one request. A failure is returned, because raising it here would chain an error with the password."""
        proxy = self._options.proxy
        try:
            # Given with the request, because the environment overrides the proxies of a session.
            return self._session.post(
                f"{self._options.base_url.rstrip('/')}/chat/completions",
                json=body,
                timeout=self._options.timeout,
                proxies={"http": proxy, "https": proxy} if proxy else None,
            )
        except RequestException as error:
            return self._service.connection_error(error)
        except Exception as error:  # such as an invalid proxy address, which requests does not check
            return RequestFailed(self._service.unexpected(f"{type(error).__name__}: {error}"))

    def _answer(self, response: Response) -> Answer:
        """Read a chat completion; any other body is returned as text, which the caller then rejects as unreadable."""
        try:
            payload = response.json()
            choice = payload["choices"][0]
            said = choice["message"].get("content") or ""
            blocked = choice.get("finish_reason") == "content_filter" or bool(choice["message"].get("refusal"))
            usage = _usage(payload.get("usage"))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return Answer(text=self._service.redacted(response.text))
        if blocked:
            return Answer(text="", usage=usage, trouble="blocked")
        return Answer(text=str(said), usage=usage, trouble="cut" if choice.get("finish_reason") == "length" else "")


class _Bearer(AuthBase):
    """Authorization header with the key. Set even without a key, or requests would read a password from ~/.netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _body(model: str, question: Question, answer_format: AnswerFormat) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": question.system}, {"role": "user", "content": question.prompt}],
    }
    if answer_format is AnswerFormat.SCHEMA:
        wanted = {"name": "subtitles", "strict": True, "schema": schema(question.ids)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    elif answer_format is AnswerFormat.JSON:
        body["response_format"] = {"type": "json_object"}
    return body


def _usage(counted: object) -> Usage:
    """Token counts of the server; an invalid count is 0, since the translation beside it is still usable."""
    if not isinstance(counted, Mapping):
        return Usage()
    return Usage(
        input_tokens=_count(counted.get("prompt_tokens")), output_tokens=_count(counted.get("completion_tokens"))
    )


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 <= value <= _MOST_TOKENS else 0
