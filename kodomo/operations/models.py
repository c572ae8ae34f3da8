"""What operators decide and casework must hold: releases of judgements (casework side)."""

from __future__ import annotations

from django.db import models

from kodomo.terms import LabelledEnum


class ReleaseState(LabelledEnum):
    """判定の公開の状態."""

    ASKED = "ASKED", "承認待ち"
    RELEASED = "RELEASED", "公開済み"
    REFUSED = "REFUSED", "見送り"


class DraftState(LabelledEnum):
    """判定基準の案の状態."""

    OPEN = "OPEN", "書いている"
    SUBMITTED = "SUBMITTED", "承認を求めた"
    DROPPED = "DROPPED", "やめた"


class CriteriaDraft(models.Model):
    """判定基準の案: criteria files and figures of capacity somebody is changing, none of which judges yet.

    ``revision`` rises with every save. What was put up for approval is not changed any more.
    """

    title = models.CharField(max_length=60)
    state = models.CharField(
        max_length=16, choices=[(s.value, s.label) for s in DraftState], default=DraftState.OPEN.value
    )
    based_on = models.CharField(max_length=64)
    files = models.JSONField()
    thresholds = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    begun_by = models.CharField(max_length=150)
    begun_at = models.DateTimeField()
    tried_job = models.PositiveIntegerField(null=True)
    tried_revision = models.PositiveIntegerField(null=True)
    submitted_by = models.CharField(max_length=150, blank=True)
    submitted_at = models.DateTimeField(null=True)
    criteria_version = models.CharField(max_length=64, blank=True)
    thresholds_version = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-pk",)


class DraftSave(models.Model):
    """案の保存: who changed which entry of a draft when."""

    draft = models.ForeignKey(CriteriaDraft, on_delete=models.CASCADE, related_name="saves")
    revision = models.PositiveIntegerField()
    entry = models.CharField(max_length=120)
    saved_by = models.CharField(max_length=150)
    saved_by_name = models.CharField(max_length=150)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("draft", "revision"), name="one_save_a_revision")]


class Release(models.Model):
    """判定の公開: one request to show a judgement's shortlist to casework, and what was decided."""

    judgement_name = models.CharField(max_length=120, db_index=True)
    judged_as_of = models.DateField()
    state = models.CharField(max_length=16, choices=[(s.value, s.label) for s in ReleaseState])
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    asked_reason = models.TextField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            # A double click, or two people at once: one request waits, one release stands.
            models.UniqueConstraint(
                fields=("judgement_name",), condition=~models.Q(state="REFUSED"), name="one_standing_release"
            ),
        ]
