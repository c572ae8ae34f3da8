"""What operators decide and casework must hold: releases of judgements (casework side)."""

from __future__ import annotations

from django.db import models

from kodomo.terms import LabelledEnum


class ReleaseState(LabelledEnum):
    """判定の公開の状態."""

    ASKED = "ASKED", "承認待ち"
    RELEASED = "RELEASED", "公開済み"
    REFUSED = "REFUSED", "見送り"


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
