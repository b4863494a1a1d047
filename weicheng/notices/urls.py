"""Addresses of notices and jobs."""

from django.urls import path

from weicheng.notices import views

app_name = "notices"
urlpatterns = [
    path("notices", views.notices, name="notices"),
    path("notices/bell", views.bell, name="bell"),
    path("notices/read-all", views.read_all, name="read_all"),
    path("notices/<int:pk>", views.notice, name="notice"),
    path("notices/<int:pk>/read", views.read, name="read"),
    path("jobs", views.jobs, name="jobs"),
    path("jobs/<uuid:uid>", views.job, name="job"),
    path("jobs/<uuid:uid>/progress", views.job_progress, name="job_progress"),
]
