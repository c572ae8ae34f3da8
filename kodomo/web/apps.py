"""The casework site as a Django app (casework side)."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the staff accounts under the label ``web``."""

    name = "kodomo.web"
    label = "web"
    verbose_name = "支援業務の画面"
    default_auto_field = "django.db.models.BigAutoField"
