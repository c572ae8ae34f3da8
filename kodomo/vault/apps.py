"""The vault as a Django app (identity side)."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Registers the vault's models under the label ``vault``; its tables live in the ``vault`` database."""

    name = "kodomo.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"
