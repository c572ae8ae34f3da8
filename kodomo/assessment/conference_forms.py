"""What people enter at a meeting: the call, a member's view, the decision (casework side)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model

from kodomo.assessment.case_numbers import as_case_number, is_case_number
from kodomo.assessment.conferences import MOST_ITEMS
from kodomo.assessment.dates import short_date
from kodomo.assessment.forms import DateAsWritten, OnceForm, missing_date
from kodomo.assessment.models import Case
from kodomo.assessment.policies import TEXT_LIMIT
from kodomo.governance.permissions import Role
from kodomo.terms import Decision

DECISIONS = [(member.value, member.label) for member in Decision]
INTERESTS = [
    ("NONE", "ない(この事例の審議に加わる)"),
    ("HAS", "ある(親族、担当した、家族と付き合いがある など。審議に加わらない)"),
]


def committee() -> dict[str, str]:
    """Accounts that may be called to a meeting: user name → name."""
    found = get_user_model().objects.filter(role=Role.COMMITTEE_MEMBER, is_active=True)
    return dict(found.order_by("username").values_list("username", "name"))


class CallForm(OnceForm):
    """会議を開く."""

    title = forms.CharField(label="会議の名称", max_length=80)
    held_on = DateAsWritten(label="開催日", max_length=24, error_messages={"required": missing_date("開催日")})
    members = forms.MultipleChoiceField(label="委員", widget=forms.CheckboxSelectMultiple)
    quorum = forms.IntegerField(label="定足数", min_value=1, max_value=99)
    chosen = forms.MultipleChoiceField(
        label="議事にかける事例(アセスメントの済んだもの)", required=False, widget=forms.CheckboxSelectMultiple
    )
    cases = forms.CharField(
        label="ほかの事例(仮番号)", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000
    )

    def __init__(self, *args: Any, ready: Iterable[Case] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members: Any = self.fields["members"]
        members.choices = list(committee().items())
        chosen: Any = self.fields["chosen"]
        chosen.choices = [(case.case_number, _in_short(case)) for case in ready]
        if not chosen.choices:
            del self.fields["chosen"]
            self.fields["cases"].label = "議事にかける事例(仮番号)"

    def clean_cases(self) -> list[str]:
        """The numbers as people write them, in lines or set apart by blanks and commas; one misheard is told, not passed over."""
        typed = [as_case_number(word) for word in re.split(r"[\s,、，;；]+", self.cleaned_data["cases"]) if word]
        unread = [word for word in typed if not is_case_number(word)]
        if unread:
            raise forms.ValidationError(
                f"仮番号として読めないものがあります: {'、'.join(unread[:5])}。番号を確かめてください。"
            )
        return typed

    def given(self) -> dict[str, Any]:
        """The call as the action takes it."""
        plain = {name: self.cleaned_data[name] for name in ("title", "held_on", "quorum", "token")}
        chosen = {username: name for username, name in committee().items() if username in self.cleaned_data["members"]}
        numbers = [*self.cleaned_data.get("chosen", ()), *self.cleaned_data["cases"]]
        return {**plain, "members": chosen, "case_numbers": numbers[: MOST_ITEMS + 1]}


def _in_short(case: Case) -> str:
    """A case in a line: as the shortlist says it, without a level."""
    office = settings.MUNICIPALITY.office(case.office).name
    day = f" 次回確認日 {short_date(case.next_on)}" if case.next_on else ""
    return f"{case.case_number} {case.grade_label}・{office}・{case.get_state_display()}{day}"


class CallOffForm(OnceForm):
    """会議を取りやめる."""

    reason = forms.CharField(label="取りやめる理由", widget=forms.Textarea(attrs={"rows": 3}), max_length=TEXT_LIMIT)


class MemberViewForm(OnceForm):
    """委員の所見."""

    interest = forms.ChoiceField(label="この事例との利害関係", choices=INTERESTS, widget=forms.RadioSelect)
    decision = forms.ChoiceField(label="あなたの意見", choices=DECISIONS, required=False, widget=forms.RadioSelect)
    text = forms.CharField(
        label="所見", required=False, widget=forms.Textarea(attrs={"rows": 5}), max_length=TEXT_LIMIT
    )

    def given(self) -> dict[str, Any]:
        """The view as the action takes it."""
        given = {name: self.cleaned_data[name] for name in ("decision", "text", "token")}
        return {**given, "has_interest": self.cleaned_data["interest"] == "HAS"}


class ItemDecisionForm(OnceForm):
    """委員会の決定."""

    decision = forms.ChoiceField(label="決定", choices=DECISIONS, widget=forms.RadioSelect)
    text = forms.CharField(
        label="決定の理由と支援の方法", widget=forms.Textarea(attrs={"rows": 4}), max_length=TEXT_LIMIT
    )
    discussion = forms.CharField(
        label="話し合ったこと", required=False, widget=forms.Textarea(attrs={"rows": 4}), max_length=TEXT_LIMIT
    )
    next_on = DateAsWritten(label="次回確認日", required=False, max_length=24)
