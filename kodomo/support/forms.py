"""What people enter about support: plan, contact, outcome, closing, reopening, transfer (casework side)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings

from kodomo.assessment.forms import DateAsWritten, OnceForm, missing_date
from kodomo.assessment.policies import TEXT_LIMIT
from kodomo.support.partners import current_partners
from kodomo.support.policies import MOST_GOALS
from kodomo.support.words import (
    CLOSING_REASONS,
    ContactKind,
    ContactResult,
    OutcomeScale,
    PackageStep,
    Service,
    Verdict,
)

CHOOSE = ("", "選んでください")


def _text(label: str, rows: int, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": rows})
    )


def _members(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.label) for member in enum]


def _date(label: str) -> DateAsWritten:
    return DateAsWritten(label=label, max_length=24, error_messages={"required": missing_date(label)})


def _opening_password() -> forms.CharField:
    """What opens a file that came back protected."""
    return forms.CharField(
        label="開くパスワード", required=False, max_length=128, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class PlanForm(OnceForm):
    """支援計画."""

    policy = _text("支援方針", 4)
    family_words = _text("本人・家庭の希望", 3, required=False)
    starts_on = _date("始める日")
    review_on = _date("見直す日")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices = [(office.code, office.name) for office in settings.MUNICIPALITY.offices]
        for n in range(1, MOST_GOALS + 1):
            needed = n == 1
            self.fields[f"text_{n}"] = forms.CharField(label=f"目標{n}", max_length=400, required=needed)
            self.fields[f"service_{n}"] = forms.ChoiceField(
                label=f"目標{n}の支援の内容", choices=[CHOOSE, *_members(Service)], required=needed
            )
            self.fields[f"office_{n}"] = forms.ChoiceField(
                label=f"目標{n}を受け持つ部署", choices=[CHOOSE, *offices], required=needed
            )

    def given(self) -> dict[str, Any]:
        """The plan with its goals as a list; a goal without a text is none."""
        plain = {k: v for k, v in self.cleaned_data.items() if not k.startswith(("text_", "service_", "office_"))}
        goals = [
            {name: self.cleaned_data[f"{name}_{n}"] for name in ("text", "service", "office")}
            for n in range(1, MOST_GOALS + 1)
            if self.cleaned_data[f"text_{n}"].strip()
        ]
        return {**plain, "goals": goals}


class ContactForm(OnceForm):
    """接触の記録."""

    kind = forms.ChoiceField(label="方法", choices=_members(ContactKind), widget=forms.RadioSelect)
    met_on = _date("日")
    result = forms.ChoiceField(label="結果", choices=_members(ContactResult), widget=forms.RadioSelect)
    text = _text("様子", 5)
    next_on = _date("次回確認日")


class OutcomeForm(OnceForm):
    """目標の結果."""

    scale = forms.ChoiceField(label="結果", choices=_members(OutcomeScale), widget=forms.RadioSelect)
    seen_on = _date("確かめた日")
    text = _text("説明", 3, required=False)


class PackageForm(OnceForm):
    """受け渡し票."""

    partner = forms.ChoiceField(label="受け渡し先の種類", widget=forms.RadioSelect)
    partner_name = forms.CharField(label="受け渡し先", max_length=80)
    goal = forms.ChoiceField(label="回答票で結果を聞く目標", required=False)
    request = _text("頼むこと", 4)
    heed = _text("気を付けること", 3, required=False)
    reply_by = DateAsWritten(label="返してほしい日", required=False, max_length=24)
    expires_on = _date("使える期限")

    def __init__(self, *args: Any, goals: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partner: Any = self.fields["partner"]
        partner.choices = [(one.code, one.caption) for one in current_partners(settings.MUNICIPALITY).values()]
        goal: Any = self.fields["goal"]
        goal.choices = [("", "聞かない"), *goals]


class ApprovalForm(OnceForm):
    """受け渡しの承認."""

    verdict = forms.ChoiceField(label="答え", choices=_members(Verdict), widget=forms.RadioSelect)
    reason = _text("理由", 4)


class PackageEventForm(OnceForm):
    """受け渡しの経過."""

    step = forms.ChoiceField(label="経過", choices=_members(PackageStep), widget=forms.RadioSelect)
    on = _date("日")
    text = _text("内容", 4, required=False)


class FileForm(OnceForm):
    """受け渡しファイルをつくる."""


class ReplyForm(OnceForm):
    """回答票を取り込む."""

    slip = forms.FileField(label="回答票(表計算ファイル・CSV・圧縮ファイル)", max_length=200)
    password = _opening_password()
    next_on = _date("次回確認日")


class InquiryReturnForm(OnceForm):
    """戻った調査票を取り込む."""

    slip = forms.FileField(label="調査票(表計算ファイル・CSV・圧縮ファイル)", max_length=200)
    password = _opening_password()


class CloseForm(OnceForm):
    """終結."""

    reason_code = forms.ChoiceField(label="終結の理由", choices=list(CLOSING_REASONS.items()), widget=forms.RadioSelect)
    text = _text("説明", 4, required=False)


class ReopenForm(OnceForm):
    """再開."""

    text = _text("再開の理由", 4)


class TransferForm(OnceForm):
    """移管."""

    to_office = forms.ChoiceField(label="移管先")
    text = _text("引き継ぐこと", 6)

    def __init__(self, *args: Any, own_office: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        receiving = [o for o in settings.MUNICIPALITY.offices if o.age_bands and o.code != own_office]
        to_office: Any = self.fields["to_office"]
        to_office.choices = [CHOOSE, *((o.code, o.name) for o in receiving)]
