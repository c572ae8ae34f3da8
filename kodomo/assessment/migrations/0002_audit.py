from typing import Any

from django.db import migrations

from kodomo.governance import audit


def install(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        audit.install(cursor, schema_editor.connection.vendor)


class Migration(migrations.Migration):
    dependencies = [("assessment", "0001_initial")]

    # No way back: an audit trail isn't taken away by a migration.
    operations = [migrations.RunPython(install, elidable=False)]
