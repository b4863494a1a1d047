"""The site's addresses and `/bare`."""

from django.urls import path

from bench.bare import insert
from weicheng.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*urlpatterns, path("bare", insert)]
