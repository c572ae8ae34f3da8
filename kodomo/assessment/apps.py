"""The assessment side as a Django app (casework side)."""

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    """Registers cases and assessments; their tables live in the ``default`` database."""

    name = "kodomo.assessment"
    label = "assessment"
    verbose_name = "アセスメント"
    default_auto_field = "django.db.models.BigAutoField"
