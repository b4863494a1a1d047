from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "weicheng.assessments"
    label = "assessments"

    def ready(self) -> None:
        from weicheng.assessments import hooks

        hooks.connect()
