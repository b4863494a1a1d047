"""Addresses of findings and visits."""

from django.urls import path

from weicheng.inspections import answer_views, round_views, views

urlpatterns = [
    path("findings/new", views.finding_new, name="finding_new"),
    path("findings/nearby", views.nearby, name="finding_nearby"),
    path("findings/units", views.units_of, name="finding_units"),
    path("u/<uuid:uid>", views.from_qr, name="unit_qr"),
    path("visits/", views.visits, name="visits"),
    path("visits/new", views.visit_new, name="visit_new"),
    path("visits/<uuid:uid>", answer_views.visit, name="visit"),
    path("visits/<uuid:uid>/card", round_views.card_new, name="card_new"),
    path("visits/calendar", round_views.calendar, name="calendar"),
    path("visits/mine", round_views.my_places, name="my_places"),
    path("visits/cards/", round_views.cards, name="yellow_cards"),
    path("visits/cards/<uuid:uid>", round_views.card, name="yellow_card"),
    path("visits/rounds/", round_views.round_list, name="rounds"),
    path("visits/rounds/new", round_views.round_new, name="round_new"),
    path("visits/rounds/<uuid:uid>", round_views.round_page, name="round"),
    path("visits/rounds/<uuid:uid>/edit", round_views.round_edit, name="round_edit"),
    path("visits/rounds/<uuid:uid>/draw", round_views.round_draw, name="round_draw"),
    path("visits/rounds/<uuid:uid>/draws/<int:number>.json", round_views.draw_file, name="draw_file"),
    path("visits/rounds/<uuid:uid>/publish", round_views.round_publish, name="round_publish"),
    path("visits/places/<uuid:uid>", round_views.round_place, name="round_place"),
    path("visits/places/<uuid:uid>/assign", round_views.round_assign, name="round_assign"),
    path("visits/<uuid:uid>/answers", answer_views.visit_answers, name="visit_answers"),
    path("visits/<uuid:uid>/answers.xlsx", answer_views.visit_answers_file, name="visit_answers_file"),
    path("visits/<uuid:uid>/sheet", answer_views.visit_sheet, name="visit_sheet"),
    path("visits/<uuid:uid>/end", answer_views.visit_end, name="visit_end"),
]
