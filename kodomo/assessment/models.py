"""Cases, what the judgements said about them and what people decided (casework side).

No name, address or birth date has a column here: a child is its ``child_key`` and the office's
own ``case_number``.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.db import models

from kodomo.assessment.case_numbers import check_digit
from kodomo.assessment.protected import protected_now
from kodomo.assessment.questions import Question, read_questions
from kodomo.assessment.states import INQUIRED, Agreement, AnswerSource, CaseState, Concern, Opinion
from kodomo.configuration import area_code
from kodomo.errors import IntegrityFault
from kodomo.terms import OVERALL, OVERALL_LABEL, AgeBand, Decision, DifficultyType, Level


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.label) for member in enum]


# A type that is not asked at the child's age never reaches a case.
# A level that is withheld is stored, and never asked for.
LEVEL_CHOICES = [pair for pair in _choices(Level) if pair[0] not in (Level.NOT_APPLICABLE, Level.WITHHELD)]
TYPE_CHOICES = [*_choices(DifficultyType), (OVERALL, OVERALL_LABEL)]


def named_areas() -> dict[str, str]:
    """Code of an area in the store → what the municipality calls it (``[areas]`` in its settings)."""
    return {area_code(name): name for name in settings.MUNICIPALITY.areas}


class Arrival(models.Model):
    """受理の控え: a judgement whose shortlist has come in. Each comes in once."""

    judgement_name = models.CharField(max_length=120, unique=True)
    judged_as_of = models.DateField()
    manifest = models.JSONField()
    figures = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class Case(models.Model):
    """事例: one child's arrival and all that follows."""

    case_number = models.CharField("仮番号", max_length=16, unique=True)
    child_key = models.CharField(max_length=40, unique=True)
    office = models.CharField("担当部署", max_length=64, db_index=True)
    state = models.CharField("状態", max_length=16, choices=_choices(CaseState), default=CaseState.ARRIVED)
    age_band = models.CharField("年齢区分", max_length=16, choices=_choices(AgeBand))
    school_grade = models.IntegerField("学年", null=True)
    area_code = models.CharField("地区", max_length=64, blank=True)
    is_known_to_support = models.BooleanField("支援につながっている")
    is_council_registered = models.BooleanField("要対協登録")
    # Whether any agency that meets families knows this one; True until a judgement has said otherwise.
    is_met_by_agency = models.BooleanField("どこかの機関が会っている", default=True)
    moved_in_within_year = models.BooleanField("転入1年以内")
    is_insufficient = models.BooleanField("情報不足")
    is_address_protected = models.BooleanField("支援措置", default=True)
    has_escalation = models.BooleanField("必ず確認")
    # New with this judgement, or a level or a fact that must be seen differs from the judgement before.
    has_changed = models.BooleanField("前回から変わった", default=True)
    judgement_name = models.CharField("判定", max_length=120)
    snapshot_name = models.CharField("こどもデータベースの版", max_length=120)
    judged_as_of = models.DateField("判定の基準日")
    next_on = models.DateField("次回確認日", null=True)
    caseworker = models.CharField("主担当", max_length=150, blank=True, db_index=True)
    arrived_at = models.DateTimeField("届いた日時")
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("pk",)
        indexes = [models.Index(fields=("office", "state")), models.Index(fields=("next_on",))]

    def __str__(self) -> str:
        return self.case_number

    @property
    def area_label(self) -> str:
        """地区の名前. The store's code is made for computing; it is shown only where the municipality names it."""
        label = named_areas().get(self.area_code, "")
        return "" if label and self.child_key in protected_now(settings.HOME) else label

    @property
    def is_known_to_nobody(self) -> bool:
        """どの機関ともつながっていない: neither consulted nor registered, and met by none."""
        return not (self.is_known_to_support or self.is_council_registered or self.is_met_by_agency)

    @property
    def grade_label(self) -> str:
        """学年を読む言葉: 小3、中1、就学前 など."""
        if self.school_grade is None or self.age_band not in (AgeBand.ELEMENTARY, AgeBand.JUNIOR_HIGH):
            return AgeBand(self.age_band).label
        return f"小{self.school_grade}" if self.school_grade <= 6 else f"中{self.school_grade - 6}"


class CaseLevel(models.Model):
    """判定の履歴: what one judgement said about one case and type. Never changed once written."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="levels")
    judgement_name = models.CharField(max_length=120)
    judged_as_of = models.DateField()
    type = models.CharField(max_length=32, choices=TYPE_CHOICES)
    level = models.CharField(max_length=16, choices=LEVEL_CHOICES)
    # 順位の幅: the lowest and highest level it might have had, had other cases been known. Empty where nothing tells.
    level_low = models.CharField(max_length=16, choices=LEVEL_CHOICES, blank=True)
    level_high = models.CharField(max_length=16, choices=LEVEL_CHOICES, blank=True)
    # The place in the order of review among all judged children; a raw score invites false precision.
    place = models.IntegerField(null=True)
    escalation = models.TextField(blank=True)
    # The data items the escalation's sentence rests on, so that it stops with their legal basis.
    escalation_items = models.JSONField(default=list)
    # Further ones, as pairs of sentence and items: one that lapses must not take the others with it.
    other_escalations = models.JSONField(default=list)
    is_registered = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)

    class Meta:
        ordering = ("-judged_as_of", "pk")
        constraints = [models.UniqueConstraint(fields=("case", "judgement_name", "type"), name="one_level_a_judgement")]
        indexes = [
            models.Index(fields=("is_current", "type", "level")),
            # The few facts that must be seen, and which cases stand at a level now, without the years before.
            models.Index(fields=("escalation", "case"), condition=models.Q(is_current=True), name="must_be_seen_now"),
            models.Index(fields=("type", "level", "case"), condition=models.Q(is_current=True), name="levels_now"),
        ]


class AppendOnly(models.Model):
    """A row that is written once. A later view is a further row."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an existing row is refused."""
        if self.pk is not None:
            raise IntegrityFault("書かれた記録は変えられません。", then="新しい記録として書いてください。")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: records are kept for their retention period."""
        raise IntegrityFault("書かれた記録は消せません。")


class FirstView(AppendOnly):
    """一次所見: what the assessor thinks from the facts alone, before the judgement is shown."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="first_views")
    judgement_name = models.CharField(max_length=120)
    text = models.TextField("一次所見")
    concern = models.CharField("気がかりの程度", max_length=16, choices=_choices(Concern))
    written_by = models.CharField(max_length=150)
    written_by_name = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class Assessment(AppendOnly):
    """アセスメント: one person's decision on a case. A changed decision is a further revision."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assessments")
    revision = models.IntegerField()
    first_view = models.ForeignKey(FirstView, on_delete=models.PROTECT, related_name="+")
    judgement_name = models.CharField(max_length=120)
    decision = models.CharField("支援要否の判断", max_length=16, choices=_choices(Decision))
    reason_code = models.CharField("理由", max_length=8)
    reason_text = models.TextField("理由の説明", blank=True)
    agreement = models.CharField("判定への意見", max_length=16, choices=_choices(Agreement))
    next_on = models.DateField("次回確認日", null=True)
    decided_by = models.CharField(max_length=150)
    decided_by_name = models.CharField(max_length=150)
    decided_by_role = models.CharField(max_length=32)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("case", "revision"), name="one_assessment_a_revision")]


class AssessmentSheet(AppendOnly):
    """アセスメントシート: one person's answers on one type's sheet. A later look is a further revision."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sheets")
    type = models.CharField("困難の類型", max_length=32, choices=_choices(DifficultyType))
    revision = models.IntegerField()
    # code of an item → {"degree": …, "text": …}, with the item's words as they were asked.
    answers = models.JSONField()
    written_by = models.CharField(max_length=150)
    written_by_name = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("case", "type", "revision"), name="one_sheet_a_revision")]


class Note(AppendOnly):
    """メモ: what a person wants remembered about a case, apart from any decision."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField("メモ")
    written_by = models.CharField(max_length=150)
    written_by_name = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class Disagreement(AppendOnly):
    """判定に同意しない: how one type's judgement is wrong, in a person's words; its code goes back to learning."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="disagreements")
    judgement_name = models.CharField(max_length=120)
    type = models.CharField("困難の類型", max_length=32, choices=TYPE_CHOICES)
    opinion = models.CharField("意見", max_length=16, choices=_choices(Opinion))
    text = models.TextField("理由")
    written_by = models.CharField(max_length=150)
    written_by_name = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class Draft(models.Model):
    """下書き: seen by its writer alone, gone when it is sent."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="drafts")
    username = models.CharField(max_length=150)
    page = models.CharField(max_length=64)
    content = models.JSONField()
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("case", "username", "page"), name="one_draft_a_page")]


class Inquiry(AppendOnly):
    """調査: questions to a school, nursery or office, with a day by which the answer is due."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="inquiries")
    asked = models.CharField("照会先", max_length=16, choices=list(INQUIRED.items()))
    questions = models.TextField("聞くこと")
    due_on = models.DateField("回答の期限")

    @property
    def number(self) -> str:
        """照会番号: stands on the paper in place of the case's number, which nobody outside learns."""
        digits = f"{self.pk:06d}"
        return f"調{digits}{check_digit(digits)}"

    @classmethod
    def key_of(cls, number: str) -> int | None:
        """Which inquiry a number on paper means, in whatever width it was typed; None where its check digit doesn't fit."""
        digits = unicodedata.normalize("NFKC", number).strip().removeprefix("調")
        if not (len(digits) == 7 and digits.isascii() and digits.isdigit()):
            return None
        return int(digits[:6]) if check_digit(digits[:6]) == int(digits[6]) else None

    @property
    def asked_questions(self) -> tuple[Question, ...]:
        """What is asked, one by one."""
        return read_questions(self.questions)

    asked_by = models.CharField(max_length=150)
    asked_by_name = models.CharField(max_length=150)
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class InquiryAnswer(AppendOnly):
    """調査の回答. What comes in later is a further answer."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="answers")
    answered_on = models.DateField("回答のあった日")
    text = models.TextField("回答")
    source = models.CharField(
        "回答の受け方", max_length=8, choices=_choices(AnswerSource), default=AnswerSource.TYPED.value
    )
    recorded_by = models.CharField(max_length=150)
    recorded_by_name = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)


class Conference(models.Model):
    """統括委員会・ケース会議: one meeting, its members and what it needs to decide."""

    held_on = models.DateField("開催日")
    title = models.CharField("名称", max_length=80)
    quorum = models.IntegerField("定足数")
    called_by = models.CharField(max_length=150)
    called_by_name = models.CharField(max_length=150)
    called_at = models.DateTimeField()
    called_off_at = models.DateTimeField("取りやめた日時", null=True)
    called_off_by_name = models.CharField(max_length=150, blank=True)
    called_off_reason = models.TextField("取りやめた理由", blank=True)

    class Meta:
        ordering = ("-held_on", "-pk")


class ConferenceMember(AppendOnly):
    """委員: somebody called to one meeting."""

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="members")
    username = models.CharField(max_length=150)
    name = models.CharField(max_length=150)

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("conference", "username"), name="one_seat_a_member")]


class AgendaItem(models.Model):
    """議事: one case before one meeting."""

    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, related_name="items")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="agenda")
    position = models.IntegerField("順番")
    started_at = models.DateTimeField("始めた時刻", null=True)

    class Meta:
        ordering = ("conference", "position")
        constraints = [models.UniqueConstraint(fields=("conference", "case"), name="one_item_a_case")]


class MemberView(AppendOnly):
    """委員の所見: written blind, before the judgement and the others' views. An interest keeps a member out."""

    item = models.ForeignKey(AgendaItem, on_delete=models.PROTECT, related_name="views")
    username = models.CharField(max_length=150)
    name = models.CharField(max_length=150)
    has_interest = models.BooleanField("利害関係がある")
    decision = models.CharField("委員の意見", max_length=16, choices=_choices(Decision), blank=True)
    text = models.TextField("所見", blank=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=("item", "username"), name="one_view_a_member")]


class ConferenceDecision(AppendOnly):
    """委員会の決定: with what was said against it."""

    item = models.OneToOneField(AgendaItem, on_delete=models.PROTECT, related_name="decided")
    decision = models.CharField("決定", max_length=16, choices=_choices(Decision))
    text = models.TextField("決定の理由と支援の方法")
    discussion = models.TextField("話し合ったこと", blank=True)
    next_on = models.DateField("次回確認日", null=True)
    decided_by = models.CharField(max_length=150)
    decided_by_name = models.CharField(max_length=150)
    decided_at = models.DateTimeField()


class SavedFilter(models.Model):
    """保存した条件: a person's own name for conditions of the shortlist."""

    username = models.CharField(max_length=150)
    name = models.CharField("名前", max_length=40)
    query = models.CharField(max_length=600)

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=("username", "name"), name="one_filter_a_name")]


class Submission(models.Model):
    """送信の控え: the token of a form that took effect, so that a second click has no second effect."""

    token = models.CharField(max_length=64, unique=True)
    username = models.CharField(max_length=150)
    action = models.CharField(max_length=32)
    made_at = models.DateTimeField()
