from django.db import migrations, models

LEVELS = [("HIGH", "高"), ("MIDDLE", "中"), ("LOW", "低"), ("INSUFFICIENT", "情報不足")]


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0012_conference_called_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="caselevel",
            name=name,
            field=models.CharField(blank=True, choices=LEVELS, default="", max_length=16),
            preserve_default=False,
        )
        for name in ("level_low", "level_high")
    ]
