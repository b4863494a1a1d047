"""Addresses of findings and visits."""

from django.urls import path

from weicheng.inspections import views

urlpatterns = [
    path("findings/new", views.finding_new, name="finding_new"),
    path("findings/nearby", views.nearby, name="finding_nearby"),
    path("findings/units", views.units_of, name="finding_units"),
    path("u/<uuid:uid>", views.from_qr, name="unit_qr"),
    path("visits/", views.visits, name="visits"),
    path("visits/new", views.visit_new, name="visit_new"),
    path("visits/<uuid:uid>", views.visit, name="visit"),
    path("visits/<uuid:uid>/end", views.visit_end, name="visit_end"),
]
