"""Sheets of one workbook may be deliveries of different sources (identity side)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0004_same_content")]

    operations = [
        migrations.RemoveConstraint(model_name="receipt", name="content_once_a_day"),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(fields=("sha256", "source", "extracted_on"), name="content_once_a_day"),
        ),
    ]
