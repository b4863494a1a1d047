from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "weicheng.api"
    label = "api"
