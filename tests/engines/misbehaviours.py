"""Faults of language models and their services, as behaviours of the fake server."""

from __future__ import annotations

import json
from typing import Any

from tests.engines.fake_llm_server import KEY, Asked, Behaviour, Said, answers, good, saying, translated


def fenced(asked: Asked) -> Said:
    return Said(text=f"Here you are:\n```json\n{good(asked).text}\n```\nAnything else?")


def too_few(asked: Asked) -> Said:
    """Omits every third line, but not a single one."""
    kept = list(answers(asked).items())
    return saying(dict(pair for at, pair in enumerate(kept) if at % 3 != 1))


def too_many(asked: Asked) -> Said:
    return saying(answers(asked) | {"999999": "یک خط دیگر", "xyz": "و یکی دیگر"})


def shifted(asked: Asked) -> Said:
    """Every text stands under the id after its own."""
    return saying({str(int(number) + 1): text for number, text in answers(asked).items()})


def empty_lines(asked: Asked) -> Said:
    return saying(answers(asked, lambda number, text: "  "))


def echo(asked: Asked) -> Said:
    return saying(answers(asked, lambda number, text: text))


def wrong_script(asked: Asked) -> Said:
    return saying(answers(asked, lambda number, text: f"Это неправильная строка {number}"))


def absurdly_long(asked: Asked) -> Said:
    return saying(answers(asked, lambda number, text: translated(number, text) + " و باز هم" * 100))


def garbage(asked: Asked) -> Said:
    return Said(text="I'm sorry, as a poem this would be: roses are red.")


def html(asked: Asked) -> Said:
    return Said(raw="<html><head><style>a{b:c}</style></head><body>Sign in to the hotel network</body></html>")


def empty(asked: Asked) -> Said:
    return Said(text="")


def truncated(asked: Asked) -> Said:
    """Stops in the middle of the last of its lines, as at the limit of tokens."""
    text = good(asked).text
    return Said(text=text[: len(text) // 2], finish="length")


def broken(asked: Asked) -> Said:
    """The same without a finish reason."""
    text = good(asked).text
    return Said(text=text[: len(text) // 2])


def refused(asked: Asked) -> Said:
    return Said(finish="blocked")


def prompt_refused(asked: Asked) -> Said:
    return Said(finish="prompt-blocked")


def refusing(word: str) -> Behaviour:
    """Refuses every request that has a line with `word` in it."""
    return lambda asked: refused(asked) if any(word in text for text in asked.lines.values()) else good(asked)


def slow(asked: Asked) -> Said:
    return Said(text=good(asked).text, wait=20.0)


def http_error(asked: Asked, status: int, message: str, **more: Any) -> Said:
    error = {"code": status, "message": message, **more.pop("error", {})}
    return Said(raw=json.dumps({"error": error}), status=status, **more)


def rate_limited(asked: Asked) -> Said:
    return http_error(asked, 429, "Resource has been exhausted (e.g. check quota).")


def rate_limited_for(seconds: int) -> Behaviour:
    return lambda asked: http_error(asked, 429, "Slow down.", headers={"Retry-After": str(seconds)})


def rate_limited_by_google(seconds: int) -> Behaviour:
    """A rate limit in Google's form: in the body, not in a header."""
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}
    error = {"status": "RESOURCE_EXHAUSTED", "details": [delay]}
    return lambda asked: http_error(asked, 429, "You exceeded your current quota.", error=error)


def no_money(asked: Asked) -> Said:
    return http_error(asked, 429, "You exceeded your current quota.", error={"code": "insufficient_quota"})


def wrong_key(asked: Asked) -> Said:
    """Repeats the key in its message, as some servers do."""
    if asked.shape == "openai":
        return http_error(asked, 401, f"Incorrect API key provided: {KEY}", error={"code": "invalid_api_key"})
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    message = f"API key not valid. Please pass a valid API key. ({KEY})"
    return http_error(asked, 400, message, error={"status": "INVALID_ARGUMENT", "details": details})


def forbidden_key(asked: Asked) -> Said:
    return http_error(asked, 403, "Permission denied: consumer has been suspended.")


def wrong_place(asked: Asked) -> Said:
    if asked.shape == "openai":
        code = {"code": "unsupported_country_region_territory"}
        return http_error(asked, 403, "Country, region, or territory not supported", error=code)
    status = {"status": "FAILED_PRECONDITION"}
    return http_error(asked, 400, "User location is not supported for the API use.", error=status)


def unknown_model(asked: Asked) -> Said:
    return http_error(asked, 404, "The model is not found for this version of the API.")


def server_error(asked: Asked) -> Said:
    return http_error(asked, 500, "An internal error has occurred.")


def overloaded(asked: Asked) -> Said:
    return http_error(asked, 503, "The model is overloaded.")


def bad_gateway(asked: Asked) -> Said:
    return Said(raw="<html>502 Bad Gateway</html>", status=502)


def strange_error(asked: Asked) -> Said:
    """An error whose JSON is not of the shape that the SDK takes for granted."""
    return Said(raw=json.dumps([{"error": "no"}]), status=500)


def refusing_schemas(asked: Asked) -> Said:
    if asked.has_schema:
        return http_error(asked, 400, "Unsupported parameter: response_format json_schema / response_schema")
    return good(asked)


def refusing_forms(asked: Asked) -> Said:
    """Knows neither schemas nor a JSON mode."""
    wanted = asked.body.get("response_format") or asked.body.get("generationConfig")
    return http_error(asked, 400, "Unknown field.") if wanted else good(asked)


def only(most: int) -> Behaviour:
    """A model with a window of `most` lines."""

    def behaviour(asked: Asked) -> Said:
        if len(asked.lines) > most:
            return http_error(asked, 400, "This model's maximum context length is exceeded: context_length_exceeded")
        return good(asked)

    return behaviour


def wordy(asked: Asked) -> Said:
    """Translates at twice the budget, and within it when asked to shorten."""
    if "shorten" in asked.question:
        return good(asked)
    limits = asked.question.get("limits", {})
    return saying(
        answers(asked, lambda number, text: f"{translated(number, text)} " + "حرف " * (limits.get(number, 20) // 2))
    )
