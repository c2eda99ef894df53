"""The addresses of the site."""

from __future__ import annotations

from django.urls import path

from jobs.web import views

urlpatterns = [path("api/health", views.health)]
