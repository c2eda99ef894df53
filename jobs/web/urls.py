"""The addresses of the site."""

from __future__ import annotations

from django.urls import path

from jobs.web import media, uploads, views

urlpatterns = [
    path("api/health", views.health),
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<uuid:job_id>", uploads.upload, name="upload"),
    path("media/<uuid:job_id>/<str:kind>", media.media, name="media"),
]
