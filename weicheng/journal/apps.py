from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "weicheng.journal"
    label = "journal"
