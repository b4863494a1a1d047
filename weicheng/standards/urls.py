"""Addresses of this app."""

from django.urls import path

from weicheng.standards import clause_views, views

app_name = "standards"
urlpatterns = [
    path("standards", views.standards, name="list"),
    path("standards/<uuid:uid>", views.edition, name="edition"),
    path("standards/<uuid:uid>/compare", views.compare, name="compare"),
    path("standards/<uuid:uid>/body.yaml", views.body, name="body"),
    path("standards/<uuid:uid>/copy", views.copy, name="copy"),
    path("standards/<uuid:uid>/edit", views.edit, name="edit"),
    path("standards/<uuid:uid>/publish", views.publish, name="publish"),
    path("standards/<uuid:uid>/discard", views.discard, name="discard"),
    path("standards/<uuid:uid>/clauses/<slug:clause>", clause_views.clause, name="clause"),
]
