"""名寄せの確認: doubtful pairs side by side, differences marked, and a person's decision on them (casework side).

For the one role of the identity side on the site. Names are shown after the password was given, and never kept.
"""

from __future__ import annotations

import datetime as dt
import difflib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.assessment.actions import local_day
from kodomo.errors import NotReady
from kodomo.governance.register import read_register
from kodomo.operations.sources import all_sources
from kodomo.vault.doubts import DECISIONS, HOLD, Pair, PairDesk, Record, open_pair_desk

DECIDED_SHOWN = 30

PARTS = {
    "name": "氏名", "name_kana": "氏名カナ", "former_name": "旧氏", "alias_name": "通称", "alias_kana": "通称カナ", "born_on": "生年月日", "sex": "性別",
    "age": "年齢", "grade": "学年", "school": "学校・園", "class_name": "組", "seat": "出席番号",
    "child_born_on": "出産日", "relationship": "続柄", "resident_number": "宛名番号",
    "household_number": "世帯番号", "address": "住所",
}  # fmt: skip
"""Parts of a record in words, in the order in which a person compares them."""

_TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}

CHOICES = [*DECISIONS.items(), (HOLD, "いまは決められない(保留)")]


class PasswordForm(forms.Form):
    """本人確認."""

    password = step_up.PasswordAgain()


class DecisionForm(forms.Form):
    """組の判断."""

    decision = forms.ChoiceField(label="二つの記録は", choices=CHOICES, widget=forms.RadioSelect)


class UndoForm(forms.Form):
    """判断の取り消し."""

    reason = forms.CharField(label="取り消す理由", max_length=400)


@dataclass(frozen=True)
class PartLine:
    """One part of both records: each as pieces (text, whether it differs), and in words how they compare."""

    label: str
    left: tuple[tuple[str, bool], ...]
    right: tuple[tuple[str, bool], ...]
    verdict: str
    is_different: bool


@require_safe
def pairs(request: Any) -> HttpResponse:
    """What waits for a person, and what was decided last. No value of anybody is on this page."""
    desk, sources = _desk(request), _source_names()
    waiting = [_listed(line, sources) for line in desk.waiting()]
    decided = [_listed(line, sources) for line in desk.decided(DECIDED_SHOWN)]
    context = {"waiting": waiting, "decided": decided, "undo_form": UndoForm()}
    return render(request, "operations/pairs.html", context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@sensitive_variables("opened", "lines")
def pair(request: Any, number: int) -> HttpResponse:
    """Two records side by side; the password first, unless it was given in the last minutes."""
    if not step_up.was_lately(request):
        form = PasswordForm(request.POST if "password" in request.POST else None)
        if not (form.is_valid() and step_up.is_really(request, form.cleaned_data["password"])):
            if form.is_bound and form.is_valid():
                form.add_error("password", "パスワードが違います。")
            context = {"form": form, "number": number}
            return render(request, "operations/pair_password.html", context, status=400 if form.errors else 200)
        return redirect("link-pair", number)
    opened = _opened(request, number)
    return _pair_page(request, opened, DecisionForm())


@require_POST
def decide(request: Any, number: int) -> HttpResponse:
    """Keep the decision and go on with the next pair."""
    if not step_up.was_lately(request):
        return redirect("link-pair", number)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _pair_page(request, _opened(request, number), form, status=400)
    desk, decision = _desk(request), form.cleaned_data["decision"]
    event = trail.event_of(request.actor, "DECIDE_PAIR", detail={"what": dict(CHOICES)[decision], "pair": number})
    with trail.recorded(event, request.at):
        if decision == HOLD:
            desk.hold(number)
        else:
            desk.decide(number, decision, only_open=True)
    following = _following(desk, number)
    return redirect("link-pair", following) if following else redirect("link-pairs")


@require_POST
def undo(request: Any, number: int) -> HttpResponse:
    """Take a decision back; the pair waits again."""
    form = UndoForm(request.POST)
    if form.is_valid():
        event = trail.event_of(request.actor, "UNDO_PAIR", reason=form.cleaned_data["reason"], detail={"pair": number})
        with trail.recorded(event, request.at):
            _desk(request).undo(number, form.cleaned_data["reason"])
        return redirect("link-pairs")
    desk, sources = _desk(request), _source_names()
    context = {
        "waiting": [_listed(line, sources) for line in desk.waiting()],
        "decided": [_listed(line, sources) for line in desk.decided(DECIDED_SHOWN)],
        "undo_form": form,
        "undone": number,
    }
    return render(request, "operations/pairs.html", context, status=400)


def part_lines(opened: Pair) -> list[PartLine]:
    """The parts at least one record has, side by side; a withheld part says so and shows no value."""
    lines = []
    for part, label in PARTS.items():
        left, right = opened.left.values[part], opened.right.values[part]
        if part in RECKONED and bool(left) != bool(right):
            left = left or _reckoned(part, opened.left, opened.right)
            right = right or _reckoned(part, opened.right, opened.left)
        if part in opened.withheld:
            lines.append(PartLine(label, (), (), "表示しません", False))
        elif left or right:
            lines.append(_compared(label, left, right))
    return lines


def _reckoned(part: str, of: Record, beside: Record) -> str:
    """What a record's birth date makes of an age or grade that only the other record tells, on that record's day."""
    try:
        born = dt.date.fromisoformat(of.values["born_on"])
    except ValueError:
        return ""
    return str(RECKONED[part](born, beside.known_on)) if beside.known_on else ""


def _age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _grade(born: dt.date, on: dt.date) -> str:
    """小1–小6 and 中1–中3 as 1–6 and 1–3; somebody born on 1 April is of the year before (学校教育法17条, 年齢計算ニ関スル法律)."""
    of_year = born.year - ((born.month, born.day) < (4, 2))
    place = on.year - (on.month < 4) - of_year - 6
    return str(place if place <= 6 else place - 6) if 1 <= place <= 9 else "—"


RECKONED: Mapping[str, Callable[[dt.date, dt.date], object]] = {"age": _age, "grade": _grade}
"""Parts a birth date tells too: a school's list knows a grade, the register a birth date."""


def _compared(label: str, left: str, right: str) -> PartLine:
    if not (left and right):
        return PartLine(label, ((left, False),), ((right, False),), "片方にしかない", False)
    if left == right:
        return PartLine(label, ((left, False),), ((right, False),), "同じ", False)
    if _plain(left) == _plain(right):
        return PartLine(label, ((left, False),), ((right, False),), "書き方だけが違う", False)
    ours, theirs = [], []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        ours.append((left[i:j], kind != "equal"))
        theirs.append((right[k:m], kind != "equal"))
    return PartLine(label, _pieces(ours), _pieces(theirs), "違う", True)


def _pieces(found: list[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    return tuple(piece for piece in found if piece[0])


def _plain(text: str) -> str:
    """Without spaces, forms of width and kind of kana: what two systems write differently of the same."""
    return "".join(unicodedata.normalize("NFKC", text).split()).translate(_TO_KATAKANA)


def _pair_page(request: Any, opened: Pair, form: DecisionForm, status: int = 200) -> HttpResponse:
    sources = _source_names()
    lines = part_lines(opened)
    context = {
        "pair": opened, "lines": lines, "form": form, "different": sum(line.is_different for line in lines),
        "left_source": sources.get(opened.left.source, opened.left.source),
        "right_source": sources.get(opened.right.source, opened.right.source),
        "decided": DECISIONS.get(opened.decision, ""),
    }  # fmt: skip
    return render(request, "operations/pair.html", context, status=status)


def _opened(request: Any, number: int) -> Pair:
    """Both records, with a row in the vault's trail and one in the site's."""
    register = read_register(settings.MUNICIPALITY.folder)
    try:
        with trail.recorded(trail.event_of(request.actor, "OPEN_PAIR", detail={"pair": number}), request.at):
            return _desk(request).both(number, register=register, on=local_day(request.at))
    except NotReady as missing:
        raise Http404 from missing


def _following(desk: PairDesk, number: int) -> int | None:
    """The pair after this one in the list, so that one held back isn't offered again at once."""
    waiting = [line["pair"] for line in desk.waiting()]
    later = waiting[waiting.index(number) + 1 :] if number in waiting else waiting
    return next(iter(later), None)


def _desk(request: Any) -> PairDesk:
    actor = request.actor
    return open_pair_desk(settings.HOME, by=actor.username, role=actor.role.value, at=request.at)


def _source_names() -> dict[str, str]:
    return {code: source.caption for code, source in all_sources(settings.MUNICIPALITY).items()}


def _listed(line: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    return {
        **line,
        "left": sources.get(line["left"], line["left"]),
        "right": sources.get(line["right"], line["right"]),
    }
