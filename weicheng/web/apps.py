from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "weicheng.web"
    label = "web"
