"""Client of OpenAI's chat completions and of servers with the same API, over plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from requests import PreparedRequest, RequestException, Session
from requests import exceptions as http
from requests.auth import AuthBase

from jobs.engines.llm import shapes
from jobs.engines.llm.model import Answer
from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import FormatNotSupported, RequestFailed, RequestTooLarge, Service, credentials
from jobs.engines.llm.replies import BAD_GATEWAY, Reply, error_within, page_of_error
from jobs.engines.llm.translator import LlmTranslator
from jobs.engines.llm.transport import ENVIRONMENT, AnswerTooLarge, BoundedAdapter, proxies_to, proxy_in_use
from jobs.engines.openai_compatible.completion import assembled, is_stream, text_of, usage_of
from jobs.engines.openai_compatible.options import Options, label
from jobs.engines.openai_compatible.request import Form, body_of
from jobs.pipeline.errors import ServiceError


def translator(options: Options) -> LlmTranslator:
    """Make the translator from its options."""
    return LlmTranslator(
        OpenAiModel(options),
        name="openai_compatible",
        batch_lines=options.batch_lines,
        first_words=options.first_words,
    )


class OpenAiModel:
    """A model behind a chat-completions server (see model.LanguageModel).

    A request has optional parts (see request.Form). A part that the server refuses by name is left out from then on.
    When an error names none, simpler forms are tried; one that was needed for two questions in a row is kept.
    """

    def __init__(self, options: Options) -> None:
        self.label = label(options)
        self._options = options
        proxy = proxy_in_use(options.base_url, options.proxy)
        self._service = Service(
            label=self.label,
            model=options.model,
            key_setting="OPENAI_COMPATIBLE_API_KEY",
            model_setting="OPENAI_COMPATIBLE_MODEL and OPENAI_COMPATIBLE_BASE_URL",
            proxy_setting="OPENAI_COMPATIBLE_PROXY" if options.proxy or not proxy else ENVIRONMENT,
            secrets=(options.api_key, proxy, *credentials(proxy), *credentials(options.base_url)),
            proxy=proxy,
        )
        self._session = Session()
        self._adapter = BoundedAdapter()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)
        self._session.auth = _Bearer(options.api_key)
        self._form = Form()
        self._needed: Form | None = None
        """The form that the last question needed, if it is simpler than `_form`."""

    def ask(self, question: Question) -> Answer:
        """Send one question. Raises RequestFailed."""
        form = self._form
        while True:
            outcome = self._call(question, form)
            if isinstance(outcome, Answer):
                self._remember(form, outcome)
                return outcome
            simpler = self._simpler(form, outcome)
            if simpler is None:
                raise outcome
            form = simpler

    def _simpler(self, form: Form, trouble: RequestFailed) -> Form | None:
        """The form with which to ask again after `trouble`; None if another form would not help."""
        limited = isinstance(trouble, RequestTooLarge) and form.limit
        if not (isinstance(trouble, FormatNotSupported) or limited):
            return None
        named = form.without_refused(trouble.error.detail)
        if limited and named is not None and named.limit:
            named = None
        if named is not None:
            if form == self._form:
                self._form = named
            return named
        return form.simpler(self._form) if isinstance(trouble, FormatNotSupported) else None

    def _remember(self, form: Form, answer: Answer) -> None:
        if form != self._form and self._needed is not None:
            self._form = form
        self._needed = form if form != self._form else None
        spent = answer.usage.output_tokens or self._options.answer_tokens
        if answer.trouble == "cut" and not answer.text and spent >= self._options.answer_tokens:
            self._form = replace(self._form, limit="")  # thinking took all of it

    def _call(self, question: Question, form: Form) -> Answer | RequestFailed:
        """Send one request. A failure is returned, because raising it here would chain an error with the password."""
        try:
            response = self._session.post(
                f"{self._options.base_url.rstrip('/')}/chat/completions",
                json=body_of(self._options, question, form),
                timeout=self._options.timeout,
                # Given with the request, because the environment overrides the proxies of a session.
                proxies=proxies_to(self._options.base_url, self._options.proxy) or None,
            )
        except RequestException as error:
            return self._service.connection_error(error)
        except AnswerTooLarge as error:
            return RequestFailed(self._service.unexpected(f"{type(error).__name__}: {error}"))
        except Exception as error:  # such as an invalid proxy address, which requests does not check
            return RequestFailed(self._failed(error))
        text = response.content.decode(errors="replace")
        if not response.ok:
            return self._service.http_error(Reply(status=response.status_code, body=text, headers=response.headers))
        return self._read(text, response.headers, question)

    def _failed(self, error: Exception) -> ServiceError:
        why = f"{type(error).__name__}: {error}"
        return self._service.unreachable(why) if self._options.proxy else self._service.unexpected(why)

    def _read(self, text: str, headers: Mapping[str, str], question: Question) -> Answer | RequestFailed:
        """Read the body of a success: an answer, or an error all the same. Any other body is returned as text, which
        the caller then rejects as unreadable.
        """
        text = text.strip("\ufeff \r\n")
        if not text:
            return self._service.http_error(Reply(status=BAD_GATEWAY, body="The answer is empty.", headers=headers))
        streamed, ended = is_stream(text), True
        try:
            if streamed:
                payload, ended = assembled(text)
            else:
                payload = json.loads(text)
            late = payload.get("error") if streamed else None
            error = error_within({"error": late} if late else payload, headers)
            if error is None or (late and _has_pairs(payload, question.ids)):
                whole = ended and not late and self._adapter.broken is None
                return self._answer(payload, whole=whole, ids=question.ids)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            error = page_of_error(text)
        return self._service.http_error(error) if error else Answer(text=self._service.redacted(text))

    def _answer(self, payload: Mapping[str, Any], *, whole: bool, ids: Sequence[str]) -> Answer | RequestFailed:
        choice = payload["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        usage = usage_of(payload.get("usage"))
        if reason == "content_filter" or message.get("refusal"):
            return Answer(text="", usage=usage, trouble="blocked")
        whole = whole or _is_complete(text_of(message, whole=False), ids)
        if not whole and not _has_pairs(payload, ids):
            return self._broken_off()
        text = text_of(message, whole=whole and reason != "length")
        late = "timed out" in str(self._adapter.broken)
        cut = reason == "length" or late
        return Answer(text=text, usage=usage, trouble="cut" if cut else "" if whole else "broken")

    def _broken_off(self) -> RequestFailed:
        """The failure of a stream that ended before any line was whole."""
        broken = self._adapter.broken or http.ConnectionError("The answer ended before its end.")
        return self._service.connection_error(broken)


def _has_pairs(payload: Mapping[str, Any], ids: Sequence[str]) -> bool:
    """Tell whether a line of the answer has come whole."""
    try:
        said = text_of(payload["choices"][0]["message"], whole=False)
        return bool(shapes.texts_of(said, [int(one) for one in ids if one.isdecimal()]))
    except shapes.Unreadable:
        return False


def _is_complete(said: str, ids: Sequence[str]) -> bool:
    """Tell whether an answer has all keys, whatever the server said of its end: some end streams without a word."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, Mapping) and set(ids) <= set(found)


class _Bearer(AuthBase):
    """Authorization header with the key. Set even without a key, or requests would read a password from ~/.netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request
