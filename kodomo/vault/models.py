"""The vault's tables: receipts, quarantine, people, link runs and doubtful pairs (identity side).

Identifying values are never in clear here: they lie sealed in ``BinaryField`` columns or in sealed
files, and are found by keyed blind index.
"""

from __future__ import annotations

from django.db import models


class Receipt(models.Model):
    """受領: one file that was delivered and landed."""

    source = models.CharField(max_length=64, db_index=True)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    extracted_on = models.DateField(null=True)
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=150)
    medium = models.CharField(max_length=16)
    rows_read = models.IntegerField()
    rows_landed = models.IntegerField()
    rows_quarantined = models.IntegerField()
    rows_duplicate = models.IntegerField(default=0)
    rows_corrected = models.IntegerField(default=0)
    layout_sha256 = models.CharField(max_length=64)
    sealed_file = models.CharField(max_length=128)
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ("pk",)
        constraints = (
            # The same content is a delivery of its own where it was extracted on another day: nothing had changed.
            # Sheets of one workbook may be read as different sources.
            models.UniqueConstraint(fields=("sha256", "source", "extracted_on"), name="content_once_a_day"),
        )


class QuarantinedRow(models.Model):
    """差戻し: one row that could not be read. Says where and why, never the value."""

    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="quarantined")
    row_number = models.IntegerField()
    column = models.CharField(max_length=128)
    code = models.CharField(max_length=16)

    class Meta:
        ordering = ("receipt", "row_number", "pk")


class RefusedDelivery(models.Model):
    """受領拒否: one file of which nothing was taken in, and why."""

    source = models.CharField(max_length=64, blank=True)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, blank=True)
    refused_at = models.DateTimeField()
    refused_by = models.CharField(max_length=150)
    code = models.CharField(max_length=32)
    report = models.JSONField(default=dict)

    class Meta:
        ordering = ("pk",)


class Medium(models.Model):
    """媒体: a medium that carried extracts, from hand to hand until it was wiped."""

    label = models.CharField(max_length=100, db_index=True)
    office = models.CharField(max_length=100)
    brought_by = models.CharField(max_length=150)
    taken_by = models.CharField(max_length=150)
    taken_at = models.DateTimeField()
    ended_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_how = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ("pk",)


class Person(models.Model):
    """One linked person. The number is the vault's own; the key is the store zone's pseudonym."""

    person_number = models.BigIntegerField(primary_key=True)
    person_key = models.CharField(max_length=32, unique=True)
    sealed_identity = models.BinaryField()
    is_address_protected = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    # The link run (its number) that first told this person; null for those from before this was kept.
    first_run = models.BigIntegerField(null=True)
    # A merge leaves the younger number behind as an alias of the elder one.
    retired_into = models.BigIntegerField(null=True, db_index=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("person_number",)


class PersonIndex(models.Model):
    """A blind index entry: equal fingerprints mean equal normalised values (kana, resident number …)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="indexes")
    kind = models.CharField(max_length=24)
    fingerprint = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=("kind", "fingerprint"))]


class LinkRun(models.Model):
    """One run of linkage: which records were decided to be which person, sealed in one file."""

    made_at = models.DateTimeField()
    sealed_file = models.CharField(max_length=128)
    figures = models.JSONField()
    is_current = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)


class DoubtfulPair(models.Model):
    """目視確認: two records a person must decide on. The records themselves stay in the sealed files."""

    run = models.ForeignKey(LinkRun, on_delete=models.CASCADE, related_name="doubtful")
    left_ref = models.CharField(max_length=255)
    right_ref = models.CharField(max_length=255)
    weight = models.FloatField()
    why = models.CharField(max_length=64)
    decision = models.CharField(max_length=16, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)


class PersonEvent(models.Model):
    """経緯: records that went from one person to another (or to or from nobody) in one run. Never changed once written.

    Numbers are null for nobody. In a merge the number before is the one that was retired, in a split the number
    after is the one that came anew.
    """

    run = models.BigIntegerField(null=True, db_index=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    number_before = models.BigIntegerField(null=True, db_index=True)
    number_after = models.BigIntegerField(null=True, db_index=True)
    # receipt, row and role of each record that changed hands
    records = models.JSONField(default=list)
    facts = models.IntegerField(default=0)
    rules = models.JSONField(default=list)
    decision = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ("pk",)


class PersonDecision(models.Model):
    """人の判断: records that are, or are not, one person, whatever the rules say; it holds until it is undone."""

    kind = models.CharField(max_length=16)
    # [left record, right record, same or not], records as ``receipt:row:role``
    pairs = models.JSONField()
    person_numbers = models.JSONField(default=list)
    reason = models.TextField()
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField()
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)


class Tombstone(models.Model):
    """消した人の目印: a keyed fingerprint by which an erased person's record is known when it is delivered again."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tombstones")
    kind = models.CharField(max_length=24)
    mark = models.CharField(max_length=32, db_index=True)
