from typing import Any

from django.db import migrations, models


def as_was_known(apps: Any, schema_editor: Any) -> None:
    """Until the next judgement says who is met, the cases that are there keep the answer they gave so far."""
    cases = apps.get_model("assessment", "Case").objects.using(schema_editor.connection.alias)
    cases.filter(is_known_to_support=False, is_council_registered=False).update(is_met_by_agency=False)


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0010_answer_source"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="is_met_by_agency",
            field=models.BooleanField(default=True, verbose_name="どこかの機関が会っている"),
        ),
        migrations.RunPython(as_was_known, migrations.RunPython.noop),
    ]
