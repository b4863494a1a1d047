from django.apps import AppConfig


class StandardsConfig(AppConfig):
    name = "weicheng.standards"
    label = "standards"
