"""Addresses of this app."""

from django.urls import path

from weicheng.indicators import caseviews, views

urlpatterns = [
    path("figures/", views.figures, name="figures"),
    path("figures/cases", caseviews.case_stats, name="case_stats"),
    path("figures/trend", views.figures_trend, name="figures_trend"),
]
