from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Medium",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", models.CharField(db_index=True, max_length=100)),
                ("office", models.CharField(max_length=100)),
                ("brought_by", models.CharField(max_length=150)),
                ("taken_by", models.CharField(max_length=150)),
                ("taken_at", models.DateTimeField()),
                ("ended_by", models.CharField(blank=True, max_length=150)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_how", models.CharField(blank=True, max_length=16)),
            ],
            options={"ordering": ("pk",)},
        ),
    ]
