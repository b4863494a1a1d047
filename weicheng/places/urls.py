"""Addresses of this app."""

from django.urls import path

from weicheng.places import area_views, people_views, unit_views, views

urlpatterns = [
    path("sign-in", views.sign_in_page, name="sign_in"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("password", views.password, name="password"),
    path("sessions", views.sessions, name="sessions"),
    path("sessions/end", views.end_other_sessions, name="sessions_end"),
    path("post", views.switch_post, name="post_switch"),
    path("post/<int:pk>", views.switch_post, name="post_switch_to"),
    path("tokens", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", views.revoke_token, name="token_revoke"),
    path("areas", area_views.tree, name="areas"),
    path("areas/<str:code>", area_views.area, name="area"),
    path("areas/<str:code>/branch", area_views.branch, name="area_branch"),
    path("areas/<str:code>/<slug:name>", area_views.change, name="area_change"),
    path("units", unit_views.units, name="units"),
    path("units/new", unit_views.new, name="unit_new"),
    path("units/qr", unit_views.qr_sheet, name="units_qr"),
    path("units/sheet", unit_views.sheet, name="units_sheet"),
    path("units/import", unit_views.upload, name="units_import"),
    path("units/import/<uuid:draft>", unit_views.commit, name="units_import_commit"),
    path("units/import/<uuid:draft>/errors", unit_views.errors, name="units_import_errors"),
    path("units/<uuid:uid>", unit_views.unit, name="unit"),
    path("units/<uuid:uid>/edit", unit_views.edit, name="unit_edit"),
    path("units/<uuid:uid>/close", unit_views.close, name="unit_close"),
    path("units/<uuid:uid>/merge", unit_views.merge, name="unit_merge"),
    path("units/<uuid:uid>/contact", unit_views.contact, name="unit_contact"),
    path("people", people_views.people, name="people"),
    path("people/new", people_views.new, name="person_new"),
    path("people/<int:pk>", people_views.person, name="person"),
    path("people/<int:pk>/edit", people_views.edit, name="person_edit"),
    path("people/<int:pk>/reset", people_views.reset, name="person_reset"),
    path("people/<int:pk>/active", people_views.set_active, name="person_active"),
    path("people/<int:pk>/post", people_views.give, name="post_give"),
    path("posts/<int:pk>/end", people_views.end, name="post_end"),
]
