from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "weicheng.evidence"
    label = "evidence"
