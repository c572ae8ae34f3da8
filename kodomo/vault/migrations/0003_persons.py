"""Persons that last: their history, people's decisions about them, and marks of erased ones (identity side)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vault", "0002_medium"),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=16)),
                ("pairs", models.JSONField()),
                ("person_numbers", models.JSONField(default=list)),
                ("reason", models.TextField()),
                ("decided_by", models.CharField(max_length=150)),
                ("decided_at", models.DateTimeField()),
                ("undone_by", models.CharField(blank=True, max_length=150)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_reason", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="PersonEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run", models.BigIntegerField(db_index=True, null=True)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=16)),
                ("number_before", models.BigIntegerField(db_index=True, null=True)),
                ("number_after", models.BigIntegerField(db_index=True, null=True)),
                ("records", models.JSONField(default=list)),
                ("facts", models.IntegerField(default=0)),
                ("rules", models.JSONField(default=list)),
                ("decision", models.CharField(blank=True, max_length=32)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.AddField(
            model_name="person",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="first_run",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="retired_into",
            field=models.BigIntegerField(db_index=True, null=True),
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("mark", models.CharField(db_index=True, max_length=32)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tombstones", to="vault.person"
                    ),
                ),
            ],
        ),
    ]
