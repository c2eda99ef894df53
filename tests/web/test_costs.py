"""Cost on the pages: estimates, what was used, and a paused job with its limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from jobs.engines.prices import parse_prices
from jobs.i18n import player_strings
from jobs.intake.cost_estimate import CostEstimate
from jobs.intake.options import JobOptions
from jobs.models import Call, Job, JobStatus, OwnerLimits
from jobs.web.cost_texts import estimate_text
from tests.jobs import rows

pytestmark = pytest.mark.django_db

BY_MODEL = JobOptions(target="fa", spoken="en", brought=True, translator="gemini")
MONTH = {**rows.CAPPED, "code": "MonthCapReached"}
TOKENS = {
    **rows.CAPPED,
    "params": {**rows.CAPPED["params"], "used": "1999000 tokens", "limit": "2000000 tokens", "needed": "4500 tokens"},
}


@pytest.fixture(autouse=True)
def prices(settings: Any) -> Iterator[None]:
    """Gemini with a key and a price."""
    gemini = replace(settings.ENGINE_OPTIONS["gemini"], api_key="key", model="small")
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "gemini": gemini}
    settings.PRICES = parse_prices("small=1/10", "USD")
    settings.TRANSLATOR, settings.TRANSCRIBER = "gemini", "pocketsphinx"
    cache.clear()
    yield
    cache.clear()


def client_of(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def paused(error: Any = rows.CAPPED) -> Job:
    job = Job.objects.get(pk=rows.IN[JobStatus.PAUSED]().job_id)
    Job.objects.filter(pk=job.pk).update(
        error=error, options=BY_MODEL.as_json(), spoken="en", seconds=60, engines={"translate": "gemini"}
    )
    Call.objects.create(
        job=job, owner=job.owner, engine="gemini", input_tokens=900_000, output_tokens=100_000, cost=Decimal("0.98")
    )
    return Job.objects.get(pk=job.pk)


def page(job: Job, user: User | None = None, language: str = "en") -> str:
    return client_of(user or job.owner, language).get(f"/jobs/{job.pk}/").content.decode()


def go_on(job: Job, user: User | None = None, **fields: Any) -> int:
    return client_of(user or job.owner).post(f"/jobs/{job.pk}/go-on", fields).status_code


# A paused job


def test_its_page_says_why_and_lets_its_owner_raise_the_limit() -> None:
    job = paused()
    said = page(job)
    assert "Paused: 0.98 USD of the limit of 1.00 USD for this job are used" in said
    assert 'name="max_cost" required min="1.01" value="2.00" step="0.01"' in said
    assert "Raise the limit and resume" in said
    assert "The files are kept until" in said
    assert "Used so far: 1,000,000 tokens and 0.98 USD." in said


def test_in_persian() -> None:
    said = page(paused(), language="fa")
    for part in ("۰٫۹۸ دلار", "سقف ۱٫۰۰ دلار", "متوقف", "سقف را بالا ببر و ادامه بده", "۱٬۰۰۰٬۰۰۰ توکن"):
        assert part in said
    assert 'min="1.01" value="2.00"' in said, "what the browser sends has Latin digits"


def test_a_limit_of_tokens() -> None:
    said = page(paused(TOKENS))
    assert "1,999,000 tokens of the limit of 2,000,000 tokens" in said
    assert 'name="max_tokens" required min="1005000" value="4000000" step="1"' in said


def test_it_goes_on_with_the_new_limit() -> None:
    job = paused()
    assert go_on(job, max_cost="2.50") == 302
    job.refresh_from_db()
    assert (job.status, job.max_cost, job.error) == (JobStatus.QUEUED, Decimal("2.50"), None)
    assert job.transitions.filter(to_status=JobStatus.QUEUED).last().actor == "shirin"  # type: ignore[union-attr]


@pytest.mark.parametrize("wrong", ["-1", "0", "much", "1e99", "NaN"])
def test_a_limit_that_is_none_changes_nothing(wrong: str) -> None:
    job = paused()
    assert go_on(job, max_cost=wrong) == 302
    assert rows.status(job.pk) == JobStatus.PAUSED
    job.refresh_from_db()
    assert job.max_cost is None


def test_at_the_limit_of_the_month_there_is_nothing_to_raise() -> None:
    said = page(paused(MONTH))
    assert "The job resumes next month, or when an administrator raises the limit." in said
    assert "Raise the limit and resume" not in said


def test_an_owner_whose_limits_the_admin_has_set_cannot_raise_them() -> None:
    job = paused()
    OwnerLimits.objects.create(owner=job.owner, cost_a_job=Decimal("1.00"))
    assert "Raise the limit and resume" not in page(job)
    assert go_on(job, max_cost="2.50") == 404
    chief = User.objects.create_user("chief", is_staff=True)
    assert "Raise the limit and resume" in page(job, chief)
    assert go_on(job, chief, max_cost="2.50") == 302
    assert rows.status(job.pk) == JobStatus.QUEUED


def test_a_stranger_cannot_raise_it() -> None:
    assert go_on(paused(), rows.owner("reza"), max_cost="2.50") == 404


def test_a_job_that_is_not_paused_stays() -> None:
    job = rows.job()
    assert go_on(job, max_cost="2.50") == 302
    job.refresh_from_db()
    assert (job.status, job.max_cost) == (JobStatus.QUEUED, None)


def test_the_list_shows_it_among_those_that_run() -> None:
    job = paused()
    said = client_of(job.owner).get("/jobs/?show=running").content.decode()
    assert "Paused" in said
    assert "0.98 USD" in said


# Estimates


def estimate(language: str = "en", **asked: Any) -> str:
    query = urlencode({"to": "fa", "spoken": "en", **asked})
    answer = client_of(rows.owner(), language).get(f"/api/estimate?{query}")
    assert answer.status_code == 200
    return str(answer.json()["text"])


def test_an_estimate_before_the_start() -> None:
    assert estimate(seconds=600) == "10 min. The translation takes about 23,000 tokens and costs about 0.093 USD."
    assert estimate("fa", seconds=600).startswith("۱۰ دقیقه. ترجمه حدود ۲۳٬۰۰۰ توکن مصرف می‌کند و حدود ۰٫۰۹۳ دلار")


def test_an_estimate_of_a_job_whose_length_is_not_known_yet_names_none() -> None:
    assert estimate_text(CostEstimate(seconds=0, free=True)) == "The translation costs nothing."
    assert estimate_text(CostEstimate(seconds=60, free=True)) == "1 min. The translation costs nothing."


def test_the_player_says_times_in_persian() -> None:
    with translation.override("fa"):
        said = json.loads(player_strings.words())
    assert (said["second"], said["seconds"]) == ("ثانیه", "ثانیه")


def test_an_estimate_without_first_words(settings: Any) -> None:
    usual = settings.ENGINE_OPTIONS
    settings.ENGINE_OPTIONS = {**usual, "gemini": replace(usual["gemini"], first_words=False)}
    assert estimate(seconds=600) == "10 min. The translation takes about 18,000 tokens and costs about 0.066 USD."


def test_an_estimate_of_a_careful_translation_with_a_brief() -> None:
    assert "about 23,000 tokens" in estimate(seconds=600)
    careful = estimate(seconds=600, careful="true")
    both = estimate(seconds=600, careful="true", reads_first="true")
    counts = [int(text.split("about ")[1].split()[0].replace(",", "")) for text in (careful, both)]
    assert 2.3 * 23_000 < counts[0] < counts[1] < 4 * 23_000


def test_an_estimate_above_the_limit_says_so(settings: Any) -> None:
    settings.LIMIT_COST_A_JOB = Decimal("0.05")
    assert estimate(seconds=600).endswith("The job will pause at the limit of 0.05 USD.")
    settings.LIMIT_COST_A_JOB = Decimal(0)
    assert "pause" not in estimate(seconds=600)
    Call.objects.create(owner=rows.owner(), engine="gemini", cost=Decimal("9.95"), input_tokens=1)
    assert estimate(seconds=600).endswith("The job will pause at the limit of 10.00 USD.")


def test_an_estimate_without_a_price(settings: Any) -> None:
    settings.PRICES = {}
    assert estimate(seconds=600).endswith("tokens; the price of the model is not known.")


def test_what_needs_no_translation_costs_nothing() -> None:
    free = "10 min. The translation costs nothing."
    assert estimate(seconds=600, subtitles="use") == free
    assert estimate(seconds=600, spoken="fa", subtitles="translate") in {free, ""}


@pytest.mark.parametrize("asked", [{"seconds": 0}, {"seconds": -5}, {"seconds": 600, "to": "Klingonian"}])
def test_what_cannot_be_estimated(asked: dict[str, Any]) -> None:
    assert estimate(**asked) == ""


def test_who_is_not_signed_in_gets_no_estimate() -> None:
    assert Client().get("/api/estimate?seconds=600&to=fa").status_code == 401


def test_the_page_of_a_job_has_the_estimate_once_its_length_is_known() -> None:
    job = rows.job(options=BY_MODEL.as_json(), cues=[rows.cue(number) for number in (1, 2, 3)])
    Job.objects.filter(pk=job.pk).update(seconds=timedelta(minutes=10).total_seconds())
    said = page(Job.objects.get(pk=job.pk))
    assert "10 min. The translation takes about 1," in said
    heard = rows.job(options=replace(BY_MODEL, brought=False, transcriber="pocketsphinx").as_json())
    assert "The translation takes" not in page(heard)
