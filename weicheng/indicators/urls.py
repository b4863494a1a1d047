"""Addresses of this app."""

from django.urls import path

from weicheng.indicators import views

urlpatterns = [
    path("figures/", views.figures, name="figures"),
    path("figures/trend", views.figures_trend, name="figures_trend"),
]
