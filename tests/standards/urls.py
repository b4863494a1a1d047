"""The addresses this app's pages need, so that they are tested without the apps above it."""

from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("", include("weicheng.places.urls")),
    path("", include("weicheng.ui.urls")),
    path("", include("weicheng.standards.urls")),
    path("language", set_language, name="set_language"),
]
