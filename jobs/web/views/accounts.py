"""Sign-up, which is off unless SIGN_UP is set. Django's own views do the rest."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from jobs.web import usernames


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]  # generic in the stubs only
    """User name, password and e-mail address of a new account."""

    class Meta:
        model = User
        fields = ("username", "email")

    def clean_username(self) -> str:
        """Return the name. Raises ValidationError when it is reserved, mixes scripts, or is taken."""
        name = str(super().clean_username())
        if usernames.is_reserved(name):
            raise forms.ValidationError(_("This name is reserved. Choose another one."))
        if usernames.mixes_scripts(name):
            raise forms.ValidationError(_("This name mixes letters of different scripts. Use those of one script."))
        if usernames.is_taken(name, User.objects.values_list("username", "is_staff").iterator()):
            raise forms.ValidationError(User._meta.get_field("username").error_messages["unique"])
        return name


@sensitive_post_parameters()
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account and sign it in. Answers 404 while SIGN_UP is off."""
    if not settings.SIGN_UP:
        raise Http404
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        return redirect("new")
    return render(request, "registration/sign_up.html", {"form": form})
