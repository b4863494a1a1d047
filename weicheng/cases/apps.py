from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "weicheng.cases"
    label = "cases"
