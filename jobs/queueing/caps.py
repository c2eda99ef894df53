"""The ledger of paid calls, and its caps: of a job, and of an owner in a calendar month (of TIME_ZONE).

Caps are in money and in tokens, and hold side by side; 0: no cap. A model whose price is not known costs no money here,
only tokens.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.engines.prices import price_of
from jobs.models import Call, CallStatus, Job, OwnerLimits
from jobs.pipeline.errors import CapReached, JobCapReached, MonthCapReached
from jobs.pipeline.protocols import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """The sums of several calls. `cost` leaves out those of unknown price."""

    cost: Decimal = Decimal(0)
    tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """The most that may be used; 0: no cap."""

    cost: Decimal
    tokens: int


def refusal(job: Job, model: str, expected: Usage, engine_tokens: int = 0) -> CapReached | None:
    """The error of the first cap that one more call of `job` could exceed; None: the call may be made.

    `engine_tokens` is the cap of tokens a job in the engine's own options (0: none). Call it inside the transaction
    that writes the call: it locks the owner, so that concurrent calls count one after another.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=job.owner_id)
    return _reached(job, model, expected, engine_tokens)


def still_refused(job: Job, error: Mapping[str, Any], options: Any) -> bool:
    """Whether the call for which `job` was paused with `error` (a record of CapReached) is still refused. `options` are
    those of its engine.
    """
    params = error.get("params", {})
    expected = Usage(input_tokens=params.get("input_tokens", 0), output_tokens=params.get("output_tokens", 0))
    model, tokens = str(getattr(options, "model", "")), int(getattr(options, "max_tokens", 0))
    return _reached(job, model, expected, tokens) is not None


def _reached(job: Job, model: str, expected: Usage, engine_tokens: int) -> CapReached | None:
    limits = OwnerLimits.objects.filter(owner=job.owner_id).first() or OwnerLimits()
    needed = Spent(cost=cost_of(model, expected) or Decimal(0), tokens=expected.input_tokens + expected.output_tokens)
    scopes = (
        (JobCapReached, caps_of_job(job, limits, engine_tokens), spent(Call.objects.filter(job=job.pk))),
        (MonthCapReached, caps_of_month(limits), spent(this_month(job.owner_id))),
    )
    tokens: dict[str, Any] = {"input_tokens": expected.input_tokens, "output_tokens": expected.output_tokens}
    for kind, most, used in scopes:
        for amounts in _exceeded(most, used, needed):
            return kind(**amounts, **tokens)
    return None


def _exceeded(caps: Caps, used: Spent, needed: Spent) -> Iterator[dict[str, Any]]:
    """The amounts of each cap that would be exceeded, as texts."""
    if caps.cost and needed.cost and used.cost + needed.cost > caps.cost:
        yield {
            "used": money_text(used.cost),
            "limit": money_text(caps.cost),
            "needed": money_text(needed.cost),
        }
    if caps.tokens and used.tokens + needed.tokens > caps.tokens:
        yield {
            "used": tokens_text(used.tokens),
            "limit": tokens_text(caps.tokens),
            "needed": tokens_text(needed.tokens),
        }


def caps_of_job(job: Job, limits: OwnerLimits, engine_tokens: int = 0) -> Caps:
    """The caps of a job: its own, those of its owner, or those of the settings; of tokens also the engine's."""
    cost = _first(job.max_cost, limits.cost_a_job, settings.LIMIT_COST_A_JOB)
    tokens = _first(job.max_tokens, limits.tokens_a_job, engine_tokens or settings.LIMIT_TOKENS_A_JOB)
    return Caps(cost=Decimal(cost), tokens=int(tokens))


def caps_of_month(limits: OwnerLimits) -> Caps:
    """The caps of an owner in a calendar month."""
    cost = _first(limits.cost_a_month, settings.LIMIT_COST_A_MONTH)
    return Caps(cost=Decimal(cost), tokens=int(_first(limits.tokens_a_month, settings.LIMIT_TOKENS_A_MONTH)))


_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A new cap of a job: the `field` of the job that holds it, the `least` value with which it goes on, and a
    `suggested` one. Money is a Decimal, tokens are an int.
    """

    field: Literal["max_cost", "max_tokens"]
    least: Decimal | int
    suggested: Decimal | int


def proposal(job: Job, error: Mapping[str, Any]) -> Proposal | None:
    """The cap to raise of a job that is paused with `error`; None when it is paused at another cap than its own."""
    if error.get("code") != JobCapReached.__name__:
        return None
    params = error["params"]
    needed = Decimal(params["needed"].split()[0])
    used, limit = spent(Call.objects.filter(job=job.pk)), Decimal(params["limit"].split()[0])
    if params["limit"].endswith(" tokens"):
        least = math.ceil((used.tokens + needed) / 1000) * 1000
        return Proposal(field="max_tokens", least=least, suggested=max(least, int(2 * limit)))
    cents = (used.cost + needed).quantize(Decimal("0.01"), ROUND_UP)
    return Proposal(
        field="max_cost", least=cents, suggested=max(cents, (2 * limit).quantize(Decimal("0.01"), ROUND_UP))
    )


def may_raise(job: Job, user: Any) -> bool:
    """Whether `user` may raise the job's own cap: staff may, and its owner where no administrator has set one."""
    limits = OwnerLimits.objects.filter(owner=job.owner_id).first() or OwnerLimits()
    is_free = limits.cost_a_job is None and limits.tokens_a_job is None
    return bool(user.is_staff or (user.pk == job.owner_id and is_free))


def _first(*limits: Any) -> Any:
    return next(limit for limit in limits if limit is not None)


def this_month(owner_id: int, now: datetime | None = None) -> QuerySet[Call]:
    """The calls of an owner in the calendar month, also those of deleted jobs."""
    return Call.objects.filter(owner=owner_id, at__gte=month_start(now or timezone.now()))


def month_start(at: datetime) -> datetime:
    """The begin of the calendar month."""
    return timezone.localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent(calls: QuerySet[Call]) -> Spent:
    """The sums of `calls`: of what they used, or may have used where nothing is known of their end."""
    found = calls.aggregate(
        cost=Coalesce(Sum("cost"), Decimal(0)), tokens=Coalesce(Sum(F("input_tokens") + F("output_tokens")), 0)
    )
    return Spent(cost=Decimal(found["cost"]), tokens=int(found["tokens"]))


def cost_of(model: str, used: Usage) -> Decimal | None:
    """The cost of so many tokens; None when the price of the model is not known."""
    price = price_of(model, settings.PRICES)
    return None if price is None else price.of(used)


def money_text(amount: Decimal, currency: str = "") -> str:
    """An amount of money as `1.25 USD`; of one below 0.10, two digits are shown that are not zero: `0.0014 USD`."""
    places = max(2, 1 - amount.adjusted()) if amount else 2
    whole, point, rest = f"{amount:.{places}f}".partition(".")
    return f"{whole}{point}{rest.rstrip('0'):0<2} {currency or settings.CURRENCY}"


def tokens_text(count: int) -> str:
    """A number of tokens as `12000 tokens`."""
    return f"{count} tokens"


# The ledger


def write_call(call_id: uuid.UUID, job: Job, engine: str, model: str, expected: Usage) -> None:
    """Write a call that is about to be made, with the tokens that are expected. Idempotent."""
    Call.objects.get_or_create(
        pk=call_id,
        defaults={
            "job": job,
            "owner_id": job.owner_id,
            "engine": engine,
            "model": model[:200],
            **_amounts(model, expected),
        },
    )


def correct_call(call_id: uuid.UUID, used: Usage, status: CallStatus) -> Call | None:
    """Write how a call ended, and what it used. None when that was written before, or its owner is deleted."""
    call = Call.objects.select_for_update(no_key=True).filter(pk=call_id, status=CallStatus.ASKED).first()
    if call is None:
        return None
    Call.objects.filter(pk=call_id).update(status=status, **_amounts(call.model, used))
    return call


def _amounts(model: str, used: Usage) -> dict[str, Any]:
    cost = cost_of(model, used)
    return {
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "cost": cost,
        "currency": "" if cost is None else settings.CURRENCY,
    }
