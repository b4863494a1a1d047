"""Addresses of this app."""

from django.urls import path

from weicheng.evidence import views

urlpatterns = [
    path("files/<uuid:uid>/<str:variant>", views.file, name="file"),
]
