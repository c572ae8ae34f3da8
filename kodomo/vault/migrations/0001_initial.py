"""The vault's tables, and the audit trail they are written beside (identity side)."""

import django.db.models.deletion
from django.db import migrations, models

from kodomo.governance import audit


def install_audit(apps, schema_editor):
    """The audit table belongs to governance, which knows no Django; it is made with the vault's own."""
    with schema_editor.connection.cursor() as cursor:
        audit.install(cursor, schema_editor.connection.vendor)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LinkRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_at", models.DateTimeField()),
                ("sealed_file", models.CharField(max_length=128)),
                ("figures", models.JSONField()),
                ("is_current", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("person_number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("person_key", models.CharField(max_length=32, unique=True)),
                ("sealed_identity", models.BinaryField()),
                ("is_address_protected", models.BooleanField(default=False)),
                ("is_current", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ("person_number",),
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(db_index=True, max_length=64)),
                ("file_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("size_bytes", models.BigIntegerField()),
                ("extracted_on", models.DateField(null=True)),
                ("received_at", models.DateTimeField()),
                ("received_by", models.CharField(max_length=150)),
                ("medium", models.CharField(max_length=16)),
                ("rows_read", models.IntegerField()),
                ("rows_landed", models.IntegerField()),
                ("rows_quarantined", models.IntegerField()),
                ("rows_duplicate", models.IntegerField(default=0)),
                ("rows_corrected", models.IntegerField(default=0)),
                ("layout_sha256", models.CharField(max_length=64)),
                ("sealed_file", models.CharField(max_length=128)),
                ("report", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="RefusedDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(blank=True, max_length=64)),
                ("file_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("refused_at", models.DateTimeField()),
                ("refused_by", models.CharField(max_length=150)),
                ("code", models.CharField(max_length=32)),
                ("report", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="DoubtfulPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("left_ref", models.CharField(max_length=255)),
                ("right_ref", models.CharField(max_length=255)),
                ("weight", models.FloatField()),
                ("why", models.CharField(max_length=64)),
                ("decision", models.CharField(blank=True, max_length=16)),
                ("decided_by", models.CharField(blank=True, max_length=150)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="doubtful", to="vault.linkrun"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QuarantinedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row_number", models.IntegerField()),
                ("column", models.CharField(max_length=128)),
                ("code", models.CharField(max_length=16)),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="quarantined", to="vault.receipt"
                    ),
                ),
            ],
            options={
                "ordering": ("receipt", "row_number", "pk"),
            },
        ),
        migrations.CreateModel(
            name="PersonIndex",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("fingerprint", models.CharField(max_length=32)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="indexes", to="vault.person"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "fingerprint"], name="vault_perso_kind_4a89c5_idx")],
            },
        ),
        migrations.RunPython(install_audit, migrations.RunPython.noop),
    ]
