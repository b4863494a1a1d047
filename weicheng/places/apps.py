from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "weicheng.places"
    label = "places"
