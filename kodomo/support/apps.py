"""The support side as a Django app (casework side)."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    """Registers plans, contacts, outcomes and closures; their tables live in the ``default`` database."""

    name = "kodomo.support"
    label = "support"
    verbose_name = "支援"
    default_auto_field = "django.db.models.BigAutoField"
