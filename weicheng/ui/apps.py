from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UiConfig(AppConfig):
    name = "weicheng.ui"
    label = "ui"
    verbose_name = _("界面")
    default_auto_field = "django.db.models.BigAutoField"
