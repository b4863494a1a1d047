from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "weicheng.cases"
    label = "cases"

    def ready(self) -> None:
        from weicheng.cases import hooks

        hooks.connect()
