"""The cost of a translation, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jobs.i18n import formats
from jobs.intake import cost_estimate
from jobs.intake.cost_estimate import CostEstimate
from jobs.models import FINAL, Call, Job, JobStatus
from jobs.pipeline.stage import Stage
from jobs.queueing import caps


def estimate_text(found: CostEstimate) -> str:
    """The sentences of an estimate: the length, if it is known, tokens, money, and the cap that it exceeds, if any."""
    said = [f"{formats.length(found.seconds)}."] if found.seconds else []
    if found.free:
        return " ".join([*said, _("The translation costs nothing.")])
    amounts = formats.priced(caps.tokens_text(rounded(found.tokens)))
    if found.cost is None:
        text = _("The translation takes about {tokens}; the price of the model is not known.")
        said.append(text.format(tokens=amounts))
    else:
        text = _("The translation takes about {tokens} and costs about {cost}.")
        said.append(text.format(tokens=amounts, cost=formats.priced(caps.money_text(found.cost))))
    if found.exceeds:
        said.append(_("The job will pause at the limit of {limit}.").format(limit=formats.priced(found.exceeds)))
    return " ".join(said)


def rounded(count: int) -> int:
    """A number of tokens as an estimate is told: two digits, and zeros."""
    zeros = max(0, len(str(count)) - 2)
    return round(count, -zeros)


def cost_text(job: Job) -> str:
    """The estimate of a job that is not translated yet, and what its calls have used so far; both empty at its end."""
    if job.status in {*FINAL, JobStatus.CANCELLING}:
        return ""
    used = caps.spent(Call.objects.filter(job=job.pk)) if job.engines.get(Stage.TRANSLATE) else caps.Spent()
    said = []
    if job.status != JobStatus.PAUSED and (found := cost_estimate.of_job(job)):
        said.append(estimate_text(found))
    if used.tokens:
        amounts = [formats.priced(caps.tokens_text(used.tokens))]
        amounts += [formats.priced(caps.money_text(used.cost))] if used.cost else []
        said.append(_("Used so far: {amounts}.").format(amounts=formats.listed(amounts)))
    return " ".join(said)
