"""Addresses of cases."""

from django.urls import path

from weicheng.cases import hot_spots, views

urlpatterns = [
    path("cases/", views.cases, name="cases"),
    path("cases/batch/<str:move>", views.batch, name="case_batch"),
    path("cases/<uuid:uid>", views.case, name="case"),
    path("cases/<uuid:uid>/print", views.printed, name="case_print"),
    path("cases/<uuid:uid>/steps/<str:move>", views.step, name="case_step"),
    path("cases/<uuid:uid>/split", views.split, name="case_split"),
    path("cases/<uuid:uid>/links", views.make_link, name="case_link_make"),
    path("cases/<uuid:uid>/links/<uuid:link>/revoke", views.revoke_link, name="case_link_revoke"),
    path("cases/<uuid:uid>/links/<uuid:link>/qr.svg", views.link_qr, name="case_link_qr"),
    path("hot-spots/", hot_spots.hot_spots, name="hot_spots"),
    path("hot-spots/<uuid:uid>", hot_spots.hot_spot, name="hot_spot"),
    path("hot-spots/<uuid:uid>/guard", hot_spots.guard, name="hot_spot_guard"),
    path("hot-spots/<uuid:uid>/off", hot_spots.take_off, name="hot_spot_off"),
    path("l/<str:token>", views.link, name="case_link"),
    path("l/<str:token>/steps/<str:move>", views.link_step, name="case_link_step"),
]
