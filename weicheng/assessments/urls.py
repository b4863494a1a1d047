"""Addresses of this app."""

from django.urls import path

from weicheng.assessments import views

app_name = "assessments"

urlpatterns = [
    path("assessments/", views.boards, name="boards"),
    path("assessments/new", views.board_new, name="board_new"),
    path("assessments/appeals", views.appeals, name="appeals"),
    path("assessments/<uuid:uid>", views.board, name="board"),
    path("assessments/<uuid:uid>/compute", views.board_compute, name="board_compute"),
    path("assessments/<uuid:uid>/confirm", views.board_confirm, name="board_confirm"),
    path("assessments/<uuid:uid>/publish", views.board_publish, name="board_publish"),
    path("assessments/<uuid:uid>/beside", views.board_beside, name="board_beside"),
    path("assessments/<uuid:uid>/entries", views.entries, name="entries"),
    path("assessments/<uuid:uid>/entries/sheet", views.entries_sheet, name="entries_sheet"),
    path("assessments/<uuid:uid>/entries/import", views.entries_import, name="entries_import"),
    path(
        "assessments/<uuid:uid>/entries/import/<uuid:draft>",
        views.entries_import_commit,
        name="entries_import_commit",
    ),
    path(
        "assessments/<uuid:uid>/entries/import/<uuid:draft>/errors",
        views.entries_import_errors,
        name="entries_import_errors",
    ),
    path("assessments/sheets/<uuid:uid>", views.sheet, name="sheet"),
    path("assessments/sheets/<uuid:uid>/lines/<int:line>/appeal", views.appeal_new, name="appeal_new"),
    path("assessments/appeals/<uuid:uid>", views.appeal, name="appeal"),
    path("assessments/appeals/<uuid:uid>/photos", views.appeal_photos, name="appeal_photos"),
    path("assessments/appeals/<uuid:uid>/decide", views.appeal_decide, name="appeal_decide"),
]
