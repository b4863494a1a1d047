from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "weicheng.inspections"
    label = "inspections"
