from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "weicheng.inspections"
    label = "inspections"

    def ready(self) -> None:
        from weicheng.inspections import hooks

        hooks.connect()
