"""Addresses of this app."""

from django.urls import path

from weicheng.web import journal, map, search, today

urlpatterns = [
    path("", today.today, name="today"),
    path("today/calls", today.today_calls, name="today_calls"),
    path("today/figures", today.today_figures, name="today_figures"),
    path("today/trend", today.today_trend, name="today_trend"),
    path("search", search.search, name="search"),
    path("map", map.page, name="map"),
    path("map/cases.json", map.cases, name="map_cases"),
    path("journal/", journal.journal, name="journal"),
    path("journal/<int:pk>", journal.entry, name="journal_entry"),
]
