"""Plans, goals, contacts, outcomes and how a case ended: what people did to help, written once (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models

from kodomo.assessment.models import AppendOnly, Case, Inquiry, InquiryAnswer
from kodomo.support.partners import current_partners
from kodomo.support.words import (
    CLOSING_REASONS,
    ContactKind,
    ContactResult,
    OpeningSource,
    OutcomeScale,
    PackageStep,
    Protection,
    Service,
    Verdict,
)


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.label) for member in enum]


class Written(AppendOnly):
    """A row with its author: a later word on the same thing is a further row."""

    written_by = models.CharField(max_length=150)
    written_by_name = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ("pk",)


class Plan(Written):
    """支援計画: the newest revision counts."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="plans")
    revision = models.IntegerField()
    policy = models.TextField("支援方針")
    family_words = models.TextField("本人・家庭の希望", blank=True)
    starts_on = models.DateField("始める日")
    review_on = models.DateField("見直す日")

    class Meta(Written.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=("case", "revision"), name="one_plan_a_revision")]


class Goal(AppendOnly):
    """目標: what should be different, by which service, by which office."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="goals")
    number = models.IntegerField()
    text = models.CharField("目標", max_length=400)
    service = models.CharField("支援の内容", max_length=24, choices=_choices(Service))
    office = models.CharField("受け持つ部署", max_length=64)

    class Meta:
        ordering = ("plan", "number")
        constraints = [models.UniqueConstraint(fields=("plan", "number"), name="one_goal_a_number")]

    @property
    def last_outcome(self) -> Outcome | None:
        """How it stood when somebody looked last."""
        outcomes = list(self.outcomes.all())
        return outcomes[-1] if outcomes else None


class Contact(Written):
    """接触の記録: a visit, interview or call and what came of it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField("方法", max_length=16, choices=_choices(ContactKind))
    met_on = models.DateField("日")
    result = models.CharField("結果", max_length=16, choices=_choices(ContactResult))
    text = models.TextField("様子")
    next_on = models.DateField("次回確認日")


class Package(Written):
    """受け渡し票: what one partner is told and asked, under a number of its own, until a day."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="packages")
    # Drawn for this partner alone: two partners' papers can't be joined by it, nor with the case.
    number = models.CharField("受け渡し番号", max_length=16, unique=True)
    partner = models.CharField("受け渡し先の種類", max_length=16)
    partner_name = models.CharField("受け渡し先", max_length=80)
    request = models.TextField("頼むこと")
    heed = models.TextField("気を付けること", blank=True)
    goal = models.ForeignKey(Goal, on_delete=models.PROTECT, related_name="packages", null=True)
    reply_by = models.DateField("返してほしい日", null=True)
    expires_on = models.DateField("使える期限")
    # As it was when the package was made; asked anew whenever something of it is to leave.
    protection = models.CharField(
        "支援措置", max_length=16, choices=_choices(Protection), default=Protection.UNKNOWN.value
    )

    @property
    def partner_caption(self) -> str:
        """What kind of partner it is; the code where the municipality no longer has it."""
        found = current_partners(settings.MUNICIPALITY).get(self.partner)
        return found.caption if found else self.partner

    @property
    def due_on(self) -> dt.date:
        """By when an answer ought to be back."""
        return self.reply_by or self.expires_on

    @property
    def last_event(self) -> PackageEvent | None:
        """What happened last."""
        events = list(self.events.all())
        return events[-1] if events else None

    @property
    def is_answered(self) -> bool:
        """A reply came back."""
        return any(event.step == PackageStep.REPLIED for event in self.events.all())

    @property
    def is_gone(self) -> bool:
        """The partner has destroyed the paper, and somebody made sure of it."""
        return any(event.step == PackageStep.DESTROYED for event in self.events.all())

    @property
    def is_settled(self) -> bool:
        """Nothing of it is out any more; or who took the case over keeps it as a record of its own, and said so."""
        partner = current_partners(settings.MUNICIPALITY).get(self.partner)
        return self.is_gone or bool(partner and partner.keeps and self.is_answered)

    @property
    def answer(self) -> PackageApproval | None:
        """The approver's last word."""
        answers = list(self.approvals.all())
        return answers[-1] if answers else None


class PackageApproval(Written):
    """承認者の答え: whether a package of a family under protection may leave, with a reason, by another person."""

    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="approvals")
    verdict = models.CharField("答え", max_length=16, choices=_choices(Verdict))
    # What the approver knew: an agreement to the unknown is none to the known.
    protection = models.CharField("支援措置", max_length=16, choices=_choices(Protection))
    reason = models.TextField("理由")


class PackageFile(Written):
    """受け渡しファイル: a package as an encrypted zip. Its password is kept nowhere."""

    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="files")
    edition = models.IntegerField("版")
    # The questions as they were asked: what comes back is compared with them, not with what is asked today.
    questions = models.JSONField(default=list)
    is_receipt = models.BooleanField(default=False)
    # What was told was chosen by this; a file from before a protection is not given out under it.
    protection = models.CharField(
        "支援措置", max_length=16, choices=_choices(Protection), default=Protection.NONE.value
    )
    expires_on = models.DateField("使える期限")
    print_number = models.IntegerField("出力番号")
    sha256 = models.CharField(max_length=64)
    # Emptied once the partner has destroyed theirs.
    content = models.BinaryField()

    class Meta(Written.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=("package", "edition"), name="one_file_an_edition")]


class ReplySlip(Written):
    """取り込んだ回答票: what a partner wrote; the same answers come in once."""

    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="replies")
    edition = models.IntegerField("版")
    digest = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    is_urgent = models.BooleanField("急いで知らせたいことがある")
    contact = models.OneToOneField("Contact", on_delete=models.PROTECT, related_name="reply")
    outcome = models.OneToOneField("Outcome", on_delete=models.PROTECT, related_name="reply", null=True)

    class Meta(Written.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=("package", "digest"), name="one_reply_an_answer")]


class InquiryFile(Written):
    """調査票のファイル: an inquiry as an encrypted zip. Its password is kept nowhere."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="files")
    edition = models.IntegerField("版")
    print_number = models.IntegerField("出力番号")
    sha256 = models.CharField(max_length=64)
    # Emptied once the answer is back, or a newer edition has taken its place.
    content = models.BinaryField()

    class Meta(Written.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=("inquiry", "edition"), name="one_inquiry_file_an_edition")]


class InquiryReturn(Written):
    """戻った調査票: which file an answer came in, and who took it in. Each edition is answered once."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="returns")
    edition = models.IntegerField("版")
    digest = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    is_urgent = models.BooleanField("急いで知らせたいことがある")
    answer = models.OneToOneField(InquiryAnswer, on_delete=models.PROTECT, related_name="returned")

    class Meta(Written.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=("inquiry", "edition"), name="one_return_an_edition")]


class PackageEvent(Written):
    """受け渡しの経過: what came back, and that the paper is gone."""

    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="events")
    step = models.CharField("経過", max_length=16, choices=_choices(PackageStep))
    on = models.DateField("日")
    text = models.TextField("内容", blank=True)


class Outcome(Written):
    """結果: how a goal stands on a day."""

    goal = models.ForeignKey(Goal, on_delete=models.PROTECT, related_name="outcomes")
    scale = models.CharField("結果", max_length=16, choices=_choices(OutcomeScale))
    seen_on = models.DateField("確かめた日")
    text = models.TextField("説明", blank=True)


class Closure(Written):
    """終結."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="closures")
    reason_code = models.CharField("理由", max_length=8, choices=list(CLOSING_REASONS.items()))
    text = models.TextField("説明", blank=True)
    closed_on = models.DateField("終結した日")


class Reopening(Written):
    """再開."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reopenings")
    text = models.TextField("再開の理由")


class Takeover(Written):
    """引継ぎ: a case from one caseworker to the next (人事異動), with the word that goes with it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="takeovers")
    from_name = models.CharField(max_length=150)
    to_name = models.CharField("引き継ぐ人", max_length=150)
    text = models.TextField("引き継ぐこと")


class Opening(Written):
    """受理: a case that people brought in, not a judgement: taken over from elsewhere, or told of."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="openings")
    source = models.CharField("受理のきっかけ", max_length=16, choices=_choices(OpeningSource))
    # Empty for a family under protection: where it came from is not even stored.
    from_whom = models.CharField("移管元・相談元", max_length=80, blank=True)
    text = models.TextField("引き継いだこと・聞いたこと")


class Transfer(Written):
    """移管: from one office to another, with what the next one must know."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="transfers")
    from_office = models.CharField(max_length=64)
    to_office = models.CharField("移管先", max_length=64)
    text = models.TextField("引き継ぐこと")
