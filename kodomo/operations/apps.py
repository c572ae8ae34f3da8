"""The operators' screens as a Django app (casework side)."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Registers the operators' screens under the label ``operations``."""

    name = "kodomo.operations"
    label = "operations"
    verbose_name = "運用"
    default_auto_field = "django.db.models.BigAutoField"
