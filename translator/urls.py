"""The addresses of the site."""

from django.contrib import admin
from django.urls import path

from jobs import views

urlpatterns = [path("admin/", admin.site.urls), path("api/health", views.health)]
