"""Addresses of the JSON API; the documentation is at /api/docs."""

from django.urls import path

from weicheng.api.main import api

urlpatterns = [path("", api.urls)]
