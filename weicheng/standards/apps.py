from django.apps import AppConfig


class StandardsConfig(AppConfig):
    name = "weicheng.standards"
    label = "standards"

    def ready(self) -> None:
        # Units stand below standards and may not import them: they are told here who knows their kinds.
        from weicheng.places import kinds
        from weicheng.standards.editions import unit_kinds_or_none

        kinds.provide(unit_kinds_or_none)
