"""What people enter: filters of the shortlist, the first view, the decision, the reason for a name (casework side)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.forms.utils import ErrorList

from kodomo.assessment import dates, policies, step_up
from kodomo.assessment.lawful import Lawful
from kodomo.assessment.models import LEVEL_CHOICES, named_areas
from kodomo.assessment.policies import sees_levels_at_once
from kodomo.assessment.sheets import Degree, Sheet
from kodomo.assessment.shortlist import Filters, Hands, Order, Reach, Support
from kodomo.assessment.states import INQUIRED, REASON_CODES, REVEAL_PURPOSES, Agreement, CaseState, Concern, Opinion
from kodomo.configuration import Office
from kodomo.errors import StaffError
from kodomo.governance.permissions import Action, Actor, can
from kodomo.terms import OVERALL, OVERALL_LABEL, AgeBand, Decision

EVERY = [("", "すべて")]


class FilterForm(forms.Form):
    """一次絞り込みの条件."""

    reach = forms.ChoiceField(label="範囲", required=False, choices=[(m.value, m.label) for m in Reach])
    type = forms.ChoiceField(label="困難の類型", required=False)
    level = forms.ChoiceField(label="レベル", required=False, choices=[*EVERY, *LEVEL_CHOICES])
    age_band = forms.ChoiceField(
        label="年齢区分", required=False, choices=[*EVERY, *((m.value, m.label) for m in AgeBand)]
    )
    office = forms.ChoiceField(label="担当部署", required=False)
    area = forms.ChoiceField(label="地区", required=False)
    state = forms.ChoiceField(label="状態", required=False, choices=[*EVERY, *((m.value, m.label) for m in CaseState)])
    support = forms.ChoiceField(
        label="支援とのつながり", required=False, choices=[*EVERY, *((m.value, m.label) for m in Support)]
    )
    caseworker = forms.ChoiceField(
        label="主担当", required=False, choices=[*EVERY, *((m.value, m.label) for m in Hands)]
    )
    unregistered = forms.BooleanField(label="要対協未登録", required=False)
    insufficient = forms.BooleanField(label="情報不足", required=False)
    moved_in = forms.BooleanField(label="転入1年以内", required=False)
    escalated = forms.BooleanField(label="必ず確認する事実がある", required=False)
    nobody_knows = forms.BooleanField(label="どの機関ともつながっていない", required=False)
    changed = forms.BooleanField(label="前回の判定から変わった", required=False)
    waiting = forms.BooleanField(label="判断を待つものだけ", required=False)
    overdue = forms.BooleanField(label="次回確認日を過ぎたもの", required=False)
    order = forms.ChoiceField(label="並び順", required=False, choices=[(m.value, m.label) for m in Order])

    def __init__(self, *args: Any, offices: tuple[Office, ...], actor: Actor, lawful: Lawful, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = [(t.value, t.label) for t in settings.MUNICIPALITY.types]
        self._choose("type", [*EVERY, (OVERALL, OVERALL_LABEL), *types])
        named = sorted(set(named_areas().values()))
        self._choose("area", [*EVERY, *((name, name) for name in named)])
        if not named:
            del self.fields["area"]
        self._choose("office", [*EVERY, *((office.code, office.name) for office in offices)])
        self._leave_out_what_may_not_be_asked(actor, lawful)

    def _leave_out_what_may_not_be_asked(self, actor: Actor, lawful: Lawful) -> None:
        if not sees_levels_at_once(actor):
            self._choose("order", [(m.value, m.label) for m in Order if m is not Order.PLACE])
            self.fields["level"].label = "レベル(所見の後だけ)"
        if can(actor.role, Action.WRITE_MEMBER_VIEW):
            # A member stays blind to what the assessor decided; these conditions would tell it.
            for name in ("state", "waiting", "overdue", "caseworker"):
                del self.fields[name]
        asked = {
            "unregistered": lawful.may_tell_council,
            "support": lawful.may_tell_known,
            "nobody_knows": lawful.may_tell_nobody,
            "moved_in": lawful.may_tell_moved_in,
        }
        for name, is_lawful in asked.items():
            if not is_lawful:
                del self.fields[name]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def switches(self) -> list[Any]:
        """The yes/no conditions, for the page."""
        return [field for field in self if isinstance(field.field, forms.BooleanField)]

    @property
    def selects(self) -> list[Any]:
        """The conditions with choices, for the page."""
        return [field for field in self if isinstance(field.field, forms.ChoiceField)]

    @property
    def passed_over(self) -> list[str]:
        """Conditions asked for that can't be kept to: a choice that is gone, or one without a legal basis today."""
        self.full_clean()
        wrong = [str(self.fields[name].label) for name in self.errors if name in self.fields]
        gone = [
            str(field.label)
            for name, field in self.base_fields.items()
            if name not in self.fields and self.data.get(name)
        ]
        return [*wrong, *gone]

    def filters(self) -> Filters:
        """The conditions as chosen; what can't be read is no condition."""
        self.full_clean()
        given = self.cleaned_data
        return Filters(
            **{**given, "order": given.get("order") or Order.WAITING, "reach": given.get("reach") or Reach.REVIEW}
        )


class DateAsWritten(forms.CharField):
    """A date typed in Western or Japanese years. A text field: the browser's own calendar speaks its own language."""

    def clean(self, value: Any) -> Any:
        """The date, or None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return dates.read_date(text)
        except ValueError:
            raise forms.ValidationError(
                "日付として読めません。2026-05-10 か 令和8年5月10日 の形で書いてください。"
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """As it was typed; a date in full."""
        return value.isoformat() if isinstance(value, dt.date) else value


def missing_date(label: str) -> str:
    """What to say where a date was left out that the work can't go on without."""
    return f"「{label}」が入っていません。日付を決めて入れてください。"


REQUIRED = forms.Field.default_error_messages["required"]


def _missing(field: forms.Field) -> str:
    if isinstance(field, forms.ChoiceField):
        return f"「{field.label}」を選んでください。"
    return f"「{field.label}」が入っていません。"


class OnceForm(forms.Form):
    """A form that takes effect once, on the case as it was when the form was opened."""

    token = forms.CharField(min_length=16, max_length=64, widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def _clean_fields(self) -> None:
        """What is missing is asked for in the words of the form, not in those of the framework."""
        for field in self.fields.values():
            if field.error_messages["required"] == REQUIRED:
                field.error_messages["required"] = _missing(field)
        super()._clean_fields()  # type: ignore[misc]

    @classmethod
    def opened(cls, version: int, options: Mapping[str, Any] | None = None, **initial: Any) -> Any:
        """An empty form with a fresh token. ``options`` are what the kind of form needs besides."""
        return cls(initial={"token": secrets.token_urlsafe(24), "version": version, **initial}, **(options or {}))

    def given(self) -> dict[str, Any]:
        """What was entered, as the action takes it."""
        return dict(self.cleaned_data)

    def in_words(self) -> dict[str, str]:
        """What was entered, for the page that shows two texts side by side: nobody types anything twice."""
        return {
            str(field.label): _in_words(field.field, self.cleaned_data.get(field.name))
            for field in self
            if not field.is_hidden
        }

    def refuse(self, refusal: StaffError) -> None:
        """Show a policy's refusal on the form."""
        self._errors = self.errors
        self._errors.setdefault("__all__", ErrorList()).append(f"{refusal.what}{refusal.then}")


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(value, dt.date):
        return dates.long_date(value)
    choices: dict[Any, Any] = dict(getattr(field, "choices", ()))
    return str(choices.get(value, value if value is not None else ""))


class SheetForm(OnceForm):
    """アセスメントシート: for each item a degree and words."""

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sheet = sheet
        for item in sheet.items:
            self.fields[f"degree_{item.code}"] = forms.ChoiceField(
                label=item.caption, choices=[(m.value, m.label) for m in Degree], widget=forms.RadioSelect,
                initial=Degree.UNKNOWN.value,
            )  # fmt: skip
            self.fields[f"text_{item.code}"] = forms.CharField(
                label=f"{item.caption}: 見たこと・聞いたこと", required=False, max_length=policies.TEXT_LIMIT,
                widget=forms.Textarea(attrs={"rows": 2}),
            )  # fmt: skip

    def given(self) -> dict[str, Any]:
        """The answers as the action takes them, each with its item's words as they were asked."""
        answers = {
            item.code: {
                "degree": self.cleaned_data[f"degree_{item.code}"],
                "text": self.cleaned_data[f"text_{item.code}"].strip(),
                "asked": item.caption,
            }
            for item in self.sheet.items
        }
        return {"answers": answers, "token": self.cleaned_data["token"], "version": self.cleaned_data["version"]}


class InquiryForm(OnceForm):
    """調査を頼む."""

    asked = forms.ChoiceField(label="照会先", choices=list(INQUIRED.items()), widget=forms.RadioSelect)
    questions = forms.CharField(
        label="聞くこと", widget=forms.Textarea(attrs={"rows": 5}), max_length=policies.TEXT_LIMIT
    )
    due_on = DateAsWritten(label="回答の期限", max_length=24, error_messages={"required": missing_date("回答の期限")})


class AnswerForm(OnceForm):
    """調査の回答."""

    answered_on = DateAsWritten(
        label="回答のあった日", max_length=24, error_messages={"required": missing_date("回答のあった日")}
    )
    text = forms.CharField(label="回答", widget=forms.Textarea(attrs={"rows": 6}), max_length=policies.TEXT_LIMIT)


class FirstViewForm(OnceForm):
    """一次所見."""

    concern = forms.ChoiceField(
        label="気がかりの程度", choices=[(m.value, m.label) for m in Concern], widget=forms.RadioSelect
    )
    text = forms.CharField(
        label="事実から考えたこと",
        widget=forms.Textarea(attrs={"rows": 6}),
        max_length=policies.TEXT_LIMIT,
        min_length=5,
    )


class NoteForm(OnceForm):
    """メモ."""

    text = forms.CharField(label="メモ", widget=forms.Textarea(attrs={"rows": 4}), max_length=policies.TEXT_LIMIT)


class DisagreementForm(OnceForm):
    """判定に同意しない."""

    kind = forms.ChoiceField(label="どの類型の判定か")
    opinion = forms.ChoiceField(
        label="どう違うと考えるか", choices=[(m.value, m.label) for m in Opinion], widget=forms.RadioSelect
    )
    text = forms.CharField(label="理由", widget=forms.Textarea(attrs={"rows": 4}), max_length=policies.TEXT_LIMIT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        types = [(t.value, t.label) for t in settings.MUNICIPALITY.types]
        kind.choices = [("", "選んでください"), *types, (OVERALL, OVERALL_LABEL)]


class DecisionForm(OnceForm):
    """支援要否の判断."""

    decision = forms.ChoiceField(label="判断", choices=[(m.value, m.label) for m in Decision], widget=forms.RadioSelect)
    reason_code = forms.ChoiceField(
        label="理由",
        choices=[
            ("", "選んでください"),
            *((Decision(d).label, tuple(codes.items())) for d, codes in REASON_CODES.items()),
        ],
    )
    reason_text = forms.CharField(
        label="理由の説明", required=False, widget=forms.Textarea(attrs={"rows": 4}), max_length=policies.TEXT_LIMIT
    )
    agreement = forms.ChoiceField(
        label="判定への意見", choices=[(m.value, m.label) for m in Agreement], widget=forms.RadioSelect
    )
    next_on = DateAsWritten(label="次回確認日", required=False, max_length=24)

    def check(self, today: dt.date) -> bool:
        """Whether all of it holds together, by the same rules as the action itself."""
        if not self.is_valid():
            return False
        given = {
            name: self.cleaned_data[name] for name in ("decision", "reason_code", "reason_text", "agreement", "next_on")
        }
        try:
            policies.check_decision(**given, today=today)
        except policies.NotAcceptable as refusal:
            self.refuse(refusal)
            return False
        return True


class RevealForm(forms.Form):
    """氏名等を確かめる."""

    purpose = forms.ChoiceField(label="目的", choices=list(REVEAL_PURPOSES.items()), widget=forms.RadioSelect)
    password = step_up.PasswordAgain("あなたのパスワード(もう一度)")
