from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "weicheng.demo"
    label = "demo"
