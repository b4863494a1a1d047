"""Addresses of this app."""

from django.urls import path

from weicheng.evidence import views

urlpatterns = [
    path("files/<uuid:uid>/<str:variant>", views.file, name="file"),
    path("photos/<uuid:uid>", views.photo, name="photo"),
    path("photos/<uuid:uid>/void", views.void, name="photo_void"),
    path("uploads", views.begin, name="upload_begin"),
    path("uploads/<uuid:uid>", views.progress, name="upload"),
    path("uploads/<uuid:uid>/parts/<int:number>", views.part, name="upload_part"),
    path("uploads/<uuid:uid>/finish", views.finish, name="upload_finish"),
]
