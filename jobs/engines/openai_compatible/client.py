"""Chat completions as OpenAI's servers and those like them speak them, over plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, RequestException, Response, Session
from requests.auth import AuthBase

from jobs.engines.llm.prompt import Question, schema
from jobs.engines.llm.remote import BoundedAdapter, Form, NotUnderstood, Reply, Service, Unanswered, credentials
from jobs.engines.llm.translator import Answer, LlmTranslator
from jobs.engines.openai_compatible.spec import Options, label
from jobs.pipeline.protocols import Usage

_MOST_TOKENS = 1_000_000_000
"""No request has more; JSON as Python reads it has numbers up to Infinity."""


def translator(options: Options) -> LlmTranslator:
    return LlmTranslator(
        OpenAiModel(options),
        name="openai_compatible",
        batch_lines=options.batch_lines,
        max_tokens=options.max_tokens,
    )


class OpenAiModel:
    """Implements llm.LanguageModel."""

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
        self._form = Form.SCHEMA

    def ask(self, question: Question) -> Answer:
        while True:
            response = self._post(_body(self._options.model, question, self._form))
            if isinstance(response, Unanswered):
                raise response
            if response.ok:
                return self._answer(response)
            trouble = self._service.refused(
                Reply(status=response.status_code, body=response.text, headers=response.headers)
            )
            if not isinstance(trouble, NotUnderstood) or self._form is Form.PLAIN:
                raise trouble
            self._form = Form(self._form - 1)

    def _post(self, body: Mapping[str, Any]) -> Response | Unanswered:
        """One request. Trouble is returned: raised from here, it would drag along an error with the password in it."""
        proxy = self._options.proxy
        try:
            # Proxies are given with the request: those of a session give way to the environment.
            return self._session.post(
                f"{self._options.base_url.rstrip('/')}/chat/completions",
                json=body,
                timeout=self._options.timeout,
                proxies={"http": proxy, "https": proxy} if proxy else None,
            )
        except RequestException as error:
            return self._service.unreached(error)
        except Exception as error:  # a proxy that is no address, for one, gets past what requests foresees
            return Unanswered(self._service.strange(f"{type(error).__name__}: {error}"))

    def _answer(self, response: Response) -> Answer:
        """What a chat completion says; anything else is kept as text, for those above to find it unreadable."""
        try:
            payload = response.json()
            choice = payload["choices"][0]
            said = choice["message"].get("content") or ""
            blocked = choice.get("finish_reason") == "content_filter" or bool(choice["message"].get("refusal"))
            usage = _usage(payload.get("usage"))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return Answer(text=self._service.shown(response.text))
        if blocked:
            return Answer(text="", usage=usage, trouble="blocked")
        return Answer(text=str(said), usage=usage, trouble="cut" if choice.get("finish_reason") == "length" else "")


class _Bearer(AuthBase):
    """The key as OpenAI takes it. Set even without a key, or requests would look for a password in ~/.netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _body(model: str, question: Question, form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": question.system}, {"role": "user", "content": question.prompt}],
    }
    if form is Form.SCHEMA:
        wanted = {"name": "subtitles", "strict": True, "schema": schema(question.ids)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    elif form is Form.JSON:
        body["response_format"] = {"type": "json_object"}
    return body


def _usage(counted: object) -> Usage:
    """What the server counted; 0 for what is no count: the translation beside it is good all the same."""
    if not isinstance(counted, Mapping):
        return Usage()
    return Usage(
        input_tokens=_count(counted.get("prompt_tokens")), output_tokens=_count(counted.get("completion_tokens"))
    )


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 <= value <= _MOST_TOKENS else 0
