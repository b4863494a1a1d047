"""Addresses of this app."""

from django.urls import path

from weicheng.documents import views

urlpatterns = [
    path("documents/", views.documents, name="documents"),
    path("documents/bulletin", views.bulletin_new, name="bulletin_new"),
    path("documents/notices", views.notices_new, name="notices_new"),
    # No object stands in these addresses: each posted id is judged by itself.
    *[
        path(f"documents/batch/{act}", views.document_batch, {"act": act}, name=f"document_batch_{act}")
        for act in views.BATCH_ACTS
    ],
    path("documents/<uuid:uid>", views.document, name="document"),
    path("documents/<uuid:uid>/words", views.document_words, name="document_words"),
    path("documents/<uuid:uid>/count", views.document_count, name="document_count"),
    path("documents/<uuid:uid>/redraft", views.document_redraft, name="document_redraft"),
    path("documents/<uuid:uid>/acts/<str:act>", views.document_act, name="document_act"),
    path("documents/<uuid:uid>/file.docx", views.document_file, name="document_file"),
    path("documents/<uuid:uid>/pictures/<int:place>", views.document_picture, name="document_picture"),
    path("documents/<uuid:uid>/versions/<int:number>", views.document_version, name="document_version"),
]
