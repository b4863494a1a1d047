from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "weicheng.indicators"
    label = "indicators"
