from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "weicheng.notices"
    label = "notices"
