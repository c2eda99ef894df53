"""Google's Gemini, through `google-generativeai` over REST.

The package is no longer developed; it was asked for by name, and nothing outside this file uses it. What it lacks, a
proxy and an order of the keys of an answer, is added where its HTTP session sends. Importing it takes 1 to 2 seconds
and 60 MB.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from requests import PreparedRequest, RequestException, Response

from jobs.engines.gemini.spec import LABEL, Options
from jobs.engines.llm.prompt import Question, schema
from jobs.engines.llm.remote import BoundedAdapter, Form, NotUnderstood, Reply, Service, Unanswered, credentials
from jobs.engines.llm.translator import Answer, LlmTranslator
from jobs.pipeline.protocols import Usage

_STOP, _MAX_TOKENS = 1, 2
"""Why an answer ends (FinishReason in the reference of the API). Any other reason is a refusal: safety, recitation,
blocklist and so on, which the same lines would meet again."""


def translator(options: Options) -> LlmTranslator:
    return LlmTranslator(
        GeminiModel(options),
        name="gemini",
        batch_lines=options.batch_lines,
        max_tokens=options.max_tokens,
    )


class GeminiModel:
    """Implements llm.LanguageModel."""

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
        self._wire = _Wire(options.proxy)
        self._client = self._connected()
        self._form = Form.SCHEMA

    def ask(self, question: Question) -> Answer:
        while True:
            outcome = self._call(question)
            if isinstance(outcome, Answer):
                return outcome
            if not isinstance(outcome, NotUnderstood) or self._form is Form.PLAIN:
                raise outcome
            self._form = Form(self._form - 1)

    def _connected(self) -> Any:
        """The SDK's client with our wire in its session: otherwise only the environment could give it a proxy."""
        from google.ai.generativelanguage import GenerativeServiceClient

        endpoint = {"api_endpoint": self._options.endpoint} if self._options.endpoint else {}
        client = GenerativeServiceClient(
            transport="rest", client_options={"api_key": self._options.api_key, **endpoint}
        )
        for scheme in ("http://", "https://"):
            client.transport._session.mount(scheme, self._wire)
        return client

    def _call(self, question: Question) -> Answer | Unanswered:
        """One request. Trouble is returned: raised from here, it would drag along the SDK's error and the key in it."""
        model = self._sdk.GenerativeModel(
            self._options.model, system_instruction=question.system, generation_config=_form(self._form, question)
        )
        model._client = self._client
        self._wire.last = None
        try:
            # retry=None: the SDK's own would repeat a 503 for ten minutes, whatever the time-out.
            response = model.generate_content(
                question.prompt, request_options={"timeout": self._options.timeout, "retry": None}
            )
            return _answer(response.to_dict())
        except RequestException as error:
            return self._service.unreached(error)
        except Exception as error:  # the SDK lets through whatever an unforeseen answer breaks in it
            return self._judged(self._wire.last, error)

    def _judged(self, response: Response | None, error: Exception) -> Answer | Unanswered:
        if response is None:
            return Unanswered(self._service.strange(f"{type(error).__name__}: {error}"))
        if response.ok:
            return Answer(text=self._service.shown(response.text))
        return self._service.refused(Reply(status=response.status_code, body=response.text, headers=response.headers))


class _Wire(BoundedAdapter):
    """Sends the SDK's requests, through `proxy` if there is one, and remembers the `last` answer.

    The SDK writes the keys of the schema in no order and has no field for theirs; the model answers in the order it
    reads, and lines translated out of order do not hang together.
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
            request.prepare_body(_in_order(request.body), files=None)
        self.last = super().send(request, stream, timeout, verify, cert, self._proxies or proxies)
        return self.last


def _in_order(body: bytes | str) -> str:
    payload = json.loads(body)
    form = payload.get("generationConfig", {}).get("responseSchema")
    if form:
        form["propertyOrdering"] = form["required"]
        form["properties"] = {name: form["properties"][name] for name in form["required"]}
    return json.dumps(payload)


def _form(form: Form, question: Question) -> dict[str, Any]:
    """The SDK's generation_config. Temperature and the like are left alone: the models of 2026 no longer take them."""
    if form is Form.PLAIN:
        return {}
    wanted = {"response_mime_type": "application/json"}
    if form is Form.JSON:
        return wanted
    known = ("type", "properties", "required")
    return wanted | {"response_schema": {name: schema(question.ids)[name] for name in known}}


def _answer(response: Mapping[str, Any]) -> Answer:
    """What the API's GenerateContentResponse says. Thinking is paid for: it counts as output."""
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
    """The package, without the two farewells that it says at import."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*All support for the `google.generativeai` package", FutureWarning)
        warnings.filterwarnings("ignore", r"You are using a Python version", FutureWarning)
        import google.generativeai as sdk
    return sdk  # type: ignore[no-any-return]
