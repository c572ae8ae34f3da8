"""利害関係: who declared an interest in a case, and so sees and writes nothing of it any more (casework side)."""

from __future__ import annotations

from django.db.models import QuerySet

from kodomo.assessment.models import Case, MemberView


def has_interest(username: str, case: Case | str) -> bool:
    """Whether the person declared an interest in the case (or the case of a number), at whatever meeting."""
    declared = MemberView.objects.filter(username=username, has_interest=True)
    return (
        declared.filter(item__case__case_number=case) if isinstance(case, str) else declared.filter(item__case=case)
    ).exists()


def cases_of_interest(username: str) -> QuerySet[Case]:
    """All cases that are closed to the person."""
    return Case.objects.filter(agenda__views__in=MemberView.objects.filter(username=username, has_interest=True))
