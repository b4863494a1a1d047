from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "weicheng.assessments"
    label = "assessments"
