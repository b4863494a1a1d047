from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "weicheng.documents"
    label = "documents"
