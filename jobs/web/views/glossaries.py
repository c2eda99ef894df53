"""The saved glossaries of a user: list, page, table and deletion."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs import glossaries
from jobs.pipeline.filenames import result_name
from jobs.pipeline.text import glossary
from jobs.web.content_disposition import content_disposition
from jobs.web.text_forms import GlossaryForm


@login_required
@never_cache
def glossary_list(request: HttpRequest) -> HttpResponse:
    """The user's glossaries, and the form of a new one."""
    form = GlossaryForm(request.POST or None, request.FILES or None, owner=request.user)
    if request.method == "POST" and form.is_valid() and (saved := form.saved()):
        return redirect("glossary", saved.pk)
    rows = [(row, len(row.entries)) for row in glossaries.of(request.user)]
    context = {"form": form, "rows": rows}
    return render(request, "web/glossaries.html", context, status=422 if form.errors else 200)


@login_required
@never_cache
def glossary_page(request: HttpRequest, glossary_id: int) -> HttpResponse:
    """One glossary of the user, to be edited."""
    row = get_object_or_404(glossaries.of(request.user), pk=glossary_id)
    form = GlossaryForm(request.POST or None, request.FILES or None, owner=request.user, row=row)
    if request.method == "POST" and form.is_valid() and form.saved():
        messages.success(request, _("“{title}” was saved.").format(title=row))
        return redirect("glossary", row.pk)
    return render(request, "web/glossary.html", {"form": form, "row": row}, status=422 if form.errors else 200)


@login_required
@require_safe
def glossary_table(request: HttpRequest, glossary_id: int) -> HttpResponse:
    """One glossary of the user as CSV."""
    row = get_object_or_404(glossaries.of(request.user), pk=glossary_id)
    response = HttpResponse(glossary.as_table(glossaries.entries_of(row)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition(result_name(row.name), ".csv", download=True)
    response["Cache-Control"] = "private, no-cache"
    return response


@login_required
@require_POST
def delete_glossary(request: HttpRequest, glossary_id: int) -> HttpResponse:
    """Delete one glossary of the user. Jobs that use it have a copy."""
    row = get_object_or_404(glossaries.of(request.user), pk=glossary_id)
    row.delete()
    messages.success(request, _("“{title}” was deleted.").format(title=row))
    return redirect("glossaries")
