from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "weicheng.documents"
    label = "documents"

    def ready(self) -> None:
        from weicheng.documents.hooks import connect

        connect()
