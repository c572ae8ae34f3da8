"""The same content may be delivered again for another day of extraction (identity side)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0003_persons")]

    operations = [
        migrations.AlterField(
            model_name="receipt", name="sha256", field=models.CharField(db_index=True, max_length=64)
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(fields=("sha256", "extracted_on"), name="content_once_a_day"),
        ),
    ]
