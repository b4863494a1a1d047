"""Where each address leads. An app names its own pages; this file only puts them together."""

from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path(
        "api/", include("weicheng.api.urls")
    ),  # first: a phone that sends many findings waits for no page's pattern
    path("", include("weicheng.web.urls")),
    path("", include("weicheng.places.urls")),
    path("", include("weicheng.ui.urls")),
    path("", include("weicheng.evidence.urls")),
    path("", include("weicheng.standards.urls")),
    path("", include("weicheng.notices.urls")),
    path("", include("weicheng.cases.urls")),
    path("", include("weicheng.inspections.urls")),
    path("", include("weicheng.indicators.urls")),
    path("", include("weicheng.assessments.urls")),
    path("", include("weicheng.documents.urls")),
    path("language", set_language, name="set_language"),
]

handler404 = "weicheng.web.errors.not_found"
handler403 = "weicheng.web.errors.forbidden"
handler500 = "weicheng.web.errors.broken"
handler400 = "weicheng.web.errors.bad_request"
