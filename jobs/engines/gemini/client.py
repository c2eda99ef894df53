"""Client of Google's Gemini, through the package `google-generativeai` over REST.

The package is no longer developed; it is used because the project's requirements name it, and in this module only. It
lacks a proxy setting and an order of the keys of an answer: both are added in its HTTP session. Importing it takes 1 to
2 seconds and 60 MB.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from requests import PreparedRequest, RequestException, Response

from jobs.engines.gemini.options import LABEL, Options
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
from jobs.pipeline.protocols import Usage

_STOP, _MAX_TOKENS = 1, 2
"""Values of the API's FinishReason: the answer is complete, or it was cut off. Any larger value is a refusal (safety,
recitation, blocklist …), which the same lines would meet again."""


def translator(options: Options) -> LlmTranslator:
    """Make the translator from its options."""
    return LlmTranslator(
        GeminiModel(options),
        name="gemini",
        batch_lines=options.batch_lines,
        max_tokens=options.max_tokens,
        first_words=options.first_words,
    )


class GeminiModel:
    """One conversation partner at Gemini (see translator.LanguageModel).

    `ask` lowers the demanded answer format step by step when the service rejects it, and keeps the lower one.
    """

    label = LABEL

    def __init__(self, options: Options) -> None:
        self._options = options
        self._service = Service(
            label=self.label,
            model=options.model,
            key_setting="GEMINI_API_KEY",
            model_setting="GEMINI_MODEL",
            proxy_setting="GEMINI_PROXY",
            secrets=(options.api_key, options.proxy, *credentials(options.proxy), *credentials(options.endpoint)),
        )
        self._sdk = _sdk()
        self._adapter = _ProxyAdapter(options.proxy)
        self._client = self._connected()
        self._format = AnswerFormat.SCHEMA

    def ask(self, question: Question) -> Answer:
        """Send one question. Raises RequestFailed."""
        while True:
            outcome = self._call(question)
            if isinstance(outcome, Answer):
                return outcome
            if not isinstance(outcome, FormatNotSupported) or self._format is AnswerFormat.PLAIN:
                raise outcome
            self._format = AnswerFormat(self._format - 1)

    def _connected(self) -> Any:
        """The SDK's client with our adapter in its session: otherwise only the environment could set a proxy."""
        from google.ai.generativelanguage import GenerativeServiceClient

        endpoint = {"api_endpoint": self._options.endpoint} if self._options.endpoint else {}
        client = GenerativeServiceClient(
            transport="rest", client_options={"api_key": self._options.api_key, **endpoint}
        )
        for scheme in ("http://", "https://"):
            client.transport._session.mount(scheme, self._adapter)
        return client

    def _call(self, question: Question) -> Answer | RequestFailed:
        """Send one request. A failure is returned, because raising it here would chain the SDK's error with the key."""
        model = self._sdk.GenerativeModel(
            self._options.model,
            system_instruction=question.system,
            generation_config=_generation_config(self._format, question),
        )
        model._client = self._client
        self._adapter.last = None
        try:
            # retry=None: the SDK's own retry repeats a 503 for ten minutes, whatever the timeout.
            response = model.generate_content(
                question.prompt, request_options={"timeout": self._options.timeout, "retry": None}
            )
            return _answer(response.to_dict())
        except RequestException as error:
            return self._service.connection_error(error)
        except Exception as error:  # the SDK does not catch its own failures on unexpected answers
            return self._outcome(self._adapter.last, error)

    def _outcome(self, response: Response | None, error: Exception) -> Answer | RequestFailed:
        if response is None:
            return RequestFailed(self._service.unexpected(f"{type(error).__name__}: {error}"))
        if response.ok:
            return Answer(text=self._service.redacted(response.text))
        return self._service.http_error(
            Reply(status=response.status_code, body=response.text, headers=response.headers)
        )


class _ProxyAdapter(BoundedAdapter):
    """HTTP adapter of the SDK that uses `proxy`, if any, orders the schema's keys and keeps the `last` response.

    The SDK sends the keys of the schema unordered and has no field for their order. The model answers in the order of
    the schema, and lines translated out of order do not fit together.
    """

    def __init__(self, proxy: str) -> None:
        super().__init__()
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        self.last: Response | None = None

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        if request.body:
            request.prepare_body(_with_key_order(request.body), files=None)
        self.last = super().send(request, stream, timeout, verify, cert, self._proxies or proxies)
        return self.last


def _with_key_order(body: bytes | str) -> str:
    payload = json.loads(body)
    answer_schema = payload.get("generationConfig", {}).get("responseSchema")
    if answer_schema:
        answer_schema["propertyOrdering"] = answer_schema["required"]
        answer_schema["properties"] = {name: answer_schema["properties"][name] for name in answer_schema["required"]}
    return json.dumps(payload)


def _generation_config(answer_format: AnswerFormat, question: Question) -> dict[str, Any]:
    """The SDK's generation_config, without temperature and the like, which the models of 2026 no longer accept."""
    if answer_format is AnswerFormat.PLAIN:
        return {}
    wanted = {"response_mime_type": "application/json"}
    if answer_format is AnswerFormat.JSON:
        return wanted
    known = ("type", "properties", "required")
    return wanted | {"response_schema": {name: schema(question.ids)[name] for name in known}}


def _answer(response: Mapping[str, Any]) -> Answer:
    """Read a GenerateContentResponse of the API. Tokens of the model's reasoning are billed and count as output."""
    used = response.get("usage_metadata", {})
    read = used.get("prompt_token_count", 0)
    written = max(used.get("total_token_count", 0) - read, used.get("candidates_token_count", 0))
    usage = Usage(input_tokens=read, output_tokens=written)
    candidate: Mapping[str, Any] = next(iter(response.get("candidates", [])), {})
    text = "".join(part.get("text", "") for part in candidate.get("content", {}).get("parts", []))
    reason = candidate.get("finish_reason", 0)
    if reason == _MAX_TOKENS:
        return Answer(text=text, usage=usage, trouble="cut")
    blocked = not text or reason > _MAX_TOKENS
    return Answer(text="" if blocked else text, usage=usage, trouble="blocked" if blocked else "")


def _sdk() -> ModuleType:
    """Import the package without its two end-of-life warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*All support for the `google.generativeai` package", FutureWarning)
        warnings.filterwarnings("ignore", r"You are using a Python version", FutureWarning)
        import google.generativeai as sdk
    return sdk  # type: ignore[no-any-return]
