"""Addresses of notices and jobs."""

from django.urls import path

from weicheng.notices import views

urlpatterns = [
    path("notices", views.notices, name="notices"),
    path("notices/bell", views.bell, name="notice_bell"),
    path("notices/read-all", views.read_all, name="notices_read_all"),
    path("notices/<int:pk>", views.notice, name="notice"),
    path("notices/<int:pk>/read", views.read, name="notice_read"),
    path("jobs", views.jobs, name="jobs"),
    path("jobs/<uuid:uid>", views.job, name="job"),
    path("jobs/<uuid:uid>/progress", views.job_progress, name="job_progress"),
]
