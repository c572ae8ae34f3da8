from typing import Any

from django.db import migrations, models

from kodomo.governance import audit


def index_audit(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        audit.index(cursor)


class Migration(migrations.Migration):
    dependencies = [("assessment", "0007_several_escalations")]

    operations = [
        migrations.AddIndex(
            model_name="caselevel",
            index=models.Index(
                condition=models.Q(("is_current", True)), fields=["escalation", "case"], name="must_be_seen_now"
            ),
        ),
        migrations.AddIndex(
            model_name="caselevel",
            index=models.Index(
                condition=models.Q(("is_current", True)), fields=["type", "level", "case"], name="levels_now"
            ),
        ),
        migrations.RunPython(index_audit, migrations.RunPython.noop, elidable=False),
    ]
