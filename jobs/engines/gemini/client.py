"""Client of Google's Gemini, through the package `google-generativeai` over REST.

The package is no longer developed; it is used because the project's requirements name it, and in this module only. It
lacks a proxy setting and an order of the keys of an answer: both are added in its HTTP session. Importing it takes 1 to
2 seconds and 60 MB.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from requests import PreparedRequest, RequestException, Response

from jobs.engines.gemini.options import LABEL, Options
from jobs.engines.llm.model import Answer
from jobs.engines.llm.prompt import Question, schema
from jobs.engines.llm.remote import AnswerFormat, FormatNotSupported, RequestFailed, Service, credentials
from jobs.engines.llm.replies import Reply, error_within, page_of_error
from jobs.engines.llm.translator import LlmTranslator
from jobs.engines.llm.transport import ENVIRONMENT, AnswerTooLarge, BoundedAdapter, proxies_to, proxy_in_use
from jobs.pipeline.protocols import Usage

_STOP, _MAX_TOKENS = 1, 2
"""Values of the API's FinishReason: the answer is complete, or it was cut off. Any larger value is a refusal (safety,
recitation, blocklist …), which the same lines would meet again."""

_ADDRESS = "https://generativelanguage.googleapis.com"
"""Google's own address of the service, which decides whether a proxy of the environment is used."""

_FORMAT = re.compile(r"response_?mime_?type|response_?(?:json_?)?schema|json mode", re.IGNORECASE)
"""Words of an error about the demanded format in general; “Invalid JSON payload” is about the request."""
_BAD_SCHEMA = re.compile(r"too many states|schema (?:is )?too|invalid schema|schema produces", re.IGNORECASE)
"""Words for a schema that Gemini cannot serve, although it serves others: another batch has another schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """The optional parts of a request: format of the answer, and whether temperature and limit of output are set."""

    answer: AnswerFormat = AnswerFormat.SCHEMA
    warm: bool = True
    limited: bool = True

    def without_refused(self, said: str) -> _Form | None:
        """The form without the part that an error names; None if it names none in use."""
        low = said.lower()
        if self.warm and "temperature" in low:
            return replace(self, warm=False)
        if self.limited and ("max_output_tokens" in low or "maxoutputtokens" in low):
            return replace(self, limited=False)
        if self.answer and _FORMAT.search(said) and not _BAD_SCHEMA.search(said):
            return replace(self, answer=AnswerFormat(self.answer - 1))
        return None

    def simpler(self, asked_first: _Form) -> _Form | None:
        """The next form to try after an error that names no part; None after the last."""
        if self.answer:
            return replace(self, answer=AnswerFormat(self.answer - 1))
        bare = _Form(answer=asked_first.answer, warm=False, limited=False)
        return bare if self.warm or self.limited else None


def translator(options: Options) -> LlmTranslator:
    """Make the translator from its options."""
    return LlmTranslator(
        GeminiModel(options),
        name="gemini",
        batch_lines=options.batch_lines,
        first_words=options.first_words,
    )


class GeminiModel:
    """One conversation partner at Gemini (see model.LanguageModel).

    A part of the request that the service refuses by name is left out from then on. When an error names none, simpler
    forms are tried; one that was needed for two questions in a row is kept.
    """

    label = LABEL

    def __init__(self, options: Options) -> None:
        self._options = options
        address = _with_scheme(options.endpoint) or _ADDRESS
        proxy = proxy_in_use(address, options.proxy)
        self._service = Service(
            label=self.label,
            model=options.model,
            key_setting="GEMINI_API_KEY",
            model_setting="GEMINI_MODEL",
            proxy_setting="GEMINI_PROXY" if options.proxy or not proxy else ENVIRONMENT,
            secrets=(options.api_key, proxy, *credentials(proxy), *credentials(options.endpoint)),
            proxy=proxy,
        )
        self._sdk = _sdk()
        self._adapter = _ProxyAdapter(proxies_to(address, options.proxy))
        self._client = self._connected()
        self._form = _Form()
        self._needed: _Form | None = None
        """The form that the last question needed, if it is simpler than `_form`."""

    def ask(self, question: Question) -> Answer:
        """Send one question. Raises RequestFailed."""
        form = self._form
        while isinstance(outcome := self._call(question, form), RequestFailed):
            if not isinstance(outcome, FormatNotSupported):
                raise outcome
            named = form.without_refused(outcome.error.detail)
            if named is not None and form == self._form:
                self._form = named
            simpler = named or form.simpler(self._form)
            if simpler is None:
                raise outcome
            form = simpler
        if form != self._form and self._needed is not None:
            self._form = form
        self._needed = form if form != self._form else None
        return outcome

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

    def _call(self, question: Question, form: _Form) -> Answer | RequestFailed:
        """Send one request. A failure is returned, because raising it here would chain the SDK's error with the key."""
        model = self._sdk.GenerativeModel(
            self._options.model,
            system_instruction=question.system,
            generation_config=_generation_config(self._options, form, question),
        )
        model._client = self._client
        self._adapter.last = None
        try:
            # retry=None: the SDK's own retry repeats a 503 for ten minutes, whatever the timeout.
            response = model.generate_content(
                question.prompt, request_options={"timeout": self._options.timeout, "retry": None}
            )
            error = _error_within(self._adapter.last)
            return self._service.http_error(error) if error else _answer(response.to_dict())
        except RequestException as error:
            return self._service.connection_error(error)
        except Exception as error:  # the SDK does not catch its own failures on unexpected answers
            return self._outcome(self._adapter.last, error)

    def _outcome(self, response: Response | None, error: Exception) -> Answer | RequestFailed:
        if response is None:
            why = f"{type(error).__name__}: {error}"
            by_proxy = self._options.proxy and not isinstance(error, AnswerTooLarge)
            return RequestFailed(self._service.unreachable(why) if by_proxy else self._service.unexpected(why))
        if response.ok:
            told = _error_within(response) or page_of_error(response.text)
            return self._service.http_error(told) if told else Answer(text=self._service.redacted(response.text))
        return self._service.http_error(
            Reply(status=response.status_code, body=response.text, headers=response.headers)
        )


class _ProxyAdapter(BoundedAdapter):
    """HTTP adapter of the SDK that uses `proxies` (see transport.proxies_to), orders the schema's keys and keeps the
    `last` response.

    The SDK sends the keys of the schema unordered and has no field for their order. The model answers in the order of
    the schema, and lines translated out of order do not fit together.
    """

    def __init__(self, proxies: Mapping[str, str]) -> None:
        super().__init__()
        self._proxies = proxies
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


def _with_scheme(endpoint: str) -> str:
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"


def _error_within(response: Response | None) -> Reply | None:
    """The error in the body of a success, as gateways before Gemini send it."""
    try:
        return error_within(response.json(), response.headers) if response is not None and response.ok else None
    except (ValueError, RecursionError):
        return None


def _generation_config(options: Options, form: _Form, question: Question) -> dict[str, Any]:
    """The SDK's generation_config with the optional parts of `form`, as far as the options demand them."""
    wanted: dict[str, Any] = {}
    if form.warm and options.temperature >= 0:
        wanted["temperature"] = options.temperature
    if form.limited and options.answer_tokens > 0:
        wanted["max_output_tokens"] = options.answer_tokens
    if form.answer is AnswerFormat.PLAIN:
        return wanted
    wanted["response_mime_type"] = "application/json"
    if form.answer is AnswerFormat.JSON:
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
