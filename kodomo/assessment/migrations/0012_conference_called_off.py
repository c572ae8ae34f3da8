from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0011_met_by_agency"),
    ]

    operations = [
        migrations.AddField(
            model_name="conference",
            name="called_off_at",
            field=models.DateTimeField(null=True, verbose_name="取りやめた日時"),
        ),
        migrations.AddField(
            model_name="conference",
            name="called_off_by_name",
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name="conference",
            name="called_off_reason",
            field=models.TextField(blank=True, verbose_name="取りやめた理由"),
        ),
    ]
