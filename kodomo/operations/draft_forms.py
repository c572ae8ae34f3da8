"""Forms of the criteria editor: what staff type, and the values a criteria file holds for it (casework side)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from kodomo.operations.criteria_words import (
    KIND_WORDS,
    OPERATORS,
    condition_parts,
    office_choices,
    type_choices,
)

MOST_CONDITIONS = 3
HIGHEST_POINTS = 100
LONGEST = 1_000
SIGNS = [("", "—"), *OPERATORS]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _long(label: str, *, required: bool = True, rows: int = 2) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": rows})
    )


def _short(label: str, *, longest: int = 200, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=longest)


class EntryForm(forms.Form):
    """What every entry's form shares: the values it was opened with, and those it stands for now."""

    keys: tuple[str, ...] = ()

    def __init__(self, *args: Any, entry: Mapping[str, Any], captions: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": self.first_values(entry)})
        self.captions = captions
        self.add_fields()

    def add_fields(self) -> None:
        """Fields that depend on the draft."""

    def first_values(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The entry as the form shows it."""
        return {key: entry.get(key) for key in self.keys}

    def values(self) -> dict[str, Any]:
        """The entry's keys as the file says them; None where a key isn't written."""
        given = self.cleaned_data
        return {key: _written(given[key]) if given[key] not in ("", False) else None for key in self.keys}

    def take_marks(self, marks: list[dict[str, str]], code: str) -> None:
        """Show the loader's faults: each at its field, those of other entries above the form."""
        for mark in marks:
            field = "when_1" if mark["key"] == "when" else mark["key"]
            own = mark["entry"] == code and field in self.fields
            self.add_error(field if own else None, mark["message"] if own else f"{mark['entry']} {mark['message']}")


class RuleForm(EntryForm):
    """A fact that must be looked at, whatever the points: conditions and words."""

    keys: tuple[str, ...] = ("sentence", "rationale", "source", "is_off", "note")
    sentence = _long("根拠の文", required=False)
    rationale = _long("そう考える理由")
    source = _short("出典")
    note = _long("覚え書き", required=False)
    is_off = forms.BooleanField(label="いまは使わない", required=False)

    def add_fields(self) -> None:
        """Conditions, each of an indicator, a comparison and a number."""
        named = sorted(self.captions.items(), key=lambda item: item[1])
        for n in range(1, self.most + 1):
            first = n == 1
            self.fields[f"when_{n}"] = forms.ChoiceField(
                label=f"条件 {n}", required=first, choices=[("", "選んでください" if first else "なし"), *named]
            )
            self.fields[f"sign_{n}"] = forms.ChoiceField(label=f"条件 {n} の比べ方", required=first, choices=SIGNS)
            self.fields[f"bound_{n}"] = forms.CharField(label=f"条件 {n} の数", required=first, max_length=12)

    def first_values(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Conditions apart."""
        first = super().first_values(entry)
        self.most = max(MOST_CONDITIONS, len(entry.get("when", ())))
        for n, text in enumerate(entry.get("when", ()), 1):
            first[f"when_{n}"], sign, bound = condition_parts(str(text))
            first |= {f"sign_{n}": sign, f"bound_{n}": bound}
        return first

    def conditions(self) -> list[dict[str, Any]]:
        """The conditions' fields, for the page."""
        return [
            {"number": n, "fields": [self[f"{part}_{n}"] for part in ("when", "bound", "sign")]}
            for n in range(1, self.most + 1)
        ]

    def clean(self) -> dict[str, Any]:
        """A condition is whole or isn't there."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        written = []
        for n in range(1, self.most + 1):
            parts = [str(given.get(f"{part}_{n}") or "").strip() for part in ("when", "sign", "bound")]
            if not any(parts):
                continue
            if not all(parts):
                self.add_error(f"when_{n}", "指標・比べ方・数を、三つともそろえてください。")
            elif not NUMBER.fullmatch(parts[2]):
                self.add_error(f"bound_{n}", "数で書いてください(例: 9)。")
            else:
                written.append(" ".join(parts))
        given["when"] = written
        return given

    def values(self) -> dict[str, Any]:
        """With the conditions together again."""
        return {"when": self.cleaned_data["when"], **super().values()}


class PointForm(RuleForm):
    """A line of the point table."""

    keys = ("points", "kind", "group", *RuleForm.keys)
    points = forms.FloatField(label="点", min_value=-HIGHEST_POINTS, max_value=HIGHEST_POINTS)
    kind = forms.ChoiceField(label="種類", choices=list(KIND_WORDS.items()))
    group = forms.RegexField(
        r"^[A-Za-z0-9_]{0,40}\Z",
        label="まとまり",
        required=False,
        error_messages={"invalid": "英数字と _ で書いてください。"},
    )
    field_order = ("points", "kind")

    def first_values(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A line that says no kind is one of risk."""
        return {**super().first_values(entry), "kind": entry.get("kind", "risk")}

    def values(self) -> dict[str, Any]:
        """A kind that need not be written isn't; nought is a number of points."""
        found = super().values()
        return {
            **found,
            "points": self.cleaned_data["points"],
            "kind": None if found["kind"] == "risk" else found["kind"],
        }


class IndicatorForm(EntryForm):
    """What of an indicator staff may change: its name, window, threshold and words."""

    keys = (
        "caption",
        "window_months",
        "baseline_months",
        "expiry_months",
        "number",
        "sentence",
        "sentence_zero",
        "note",
    )
    caption = _short("名前", required=True)
    window_months = forms.IntegerField(label="期間(月)", required=False, min_value=1, max_value=240)
    baseline_months = forms.IntegerField(label="比べる過去の長さ(月)", required=False, min_value=1, max_value=240)
    expiry_months = forms.IntegerField(label="古い記録を数えなくなる月数", required=False, min_value=1, max_value=240)
    number = _short("数える値の条件", longest=20)
    sentence = _long("根拠の文")
    sentence_zero = _long("0 のときの文", required=False)
    note = _long("覚え書き", required=False)


class CapacityForm(forms.Form):
    """Shares of 高 and 中: everybody's, and a few of single types and offices."""

    def __init__(self, *args: Any, figures: Mapping[str, Any], **kwargs: Any) -> None:
        parts = list(figures.get("parts", ()))
        self.rows = len(parts) + 2
        first: dict[str, Any] = {key: _percent(figures[key]) for key in ("high", "middle", "band")}
        for n, part in enumerate(parts, 1):
            first |= {f"type_{n}": part["type"], f"office_{n}": part["office"]}
            first |= {f"{key}_{n}": _percent(part[key]) for key in ("high", "middle")}
        super().__init__(*args, **{**kwargs, "initial": first})
        share: dict[str, Any] = {"min_value": 0, "max_value": 50}
        self.fields["high"] = forms.FloatField(label="「高」の枠(%)", **share)
        self.fields["middle"] = forms.FloatField(label="「中」の枠(%)", **share)
        self.fields["band"] = forms.FloatField(label="レベルを保つ幅(%)", min_value=0, max_value=10)
        for n in range(1, self.rows + 1):
            self.fields[f"type_{n}"] = forms.ChoiceField(label=f"類型 {n}", required=False, choices=type_choices())
            self.fields[f"office_{n}"] = forms.ChoiceField(
                label=f"部署 {n}", required=False, choices=office_choices(first.get(f"office_{n}", ""))
            )
            for key, words in (("high", "高"), ("middle", "中")):
                self.fields[f"{key}_{n}"] = forms.FloatField(label=f"{n} 行目の「{words}」(%)", required=False, **share)

    def part_rows(self) -> list[list[Any]]:
        """The rows of single types and offices, for the page."""
        return [[self[f"{name}_{n}"] for name in ("type", "office", "high", "middle")] for n in range(1, self.rows + 1)]

    def clean(self) -> dict[str, Any]:
        """A row is whole or isn't there."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for n in range(1, self.rows + 1):
            row = {key: given.get(f"{key}_{n}") for key in ("type", "office", "high", "middle")}
            if all(value in (None, "") for value in row.values()):
                continue
            if not (row["type"] or row["office"]):
                self.add_error(f"type_{n}", "類型か部署を選んでください。行をやめるときは、枠を空にしてください。")
            for key in ("high", "middle"):
                if row[key] is None and (row["high"], row["middle"]) != (None, None):
                    self.add_error(f"{key}_{n}", "「高」と「中」の両方を入れてください。")
        return given

    def figures(self) -> dict[str, Any]:
        """As ``governance.thresholds`` takes them; a row whose shares are empty is left out."""
        given = self.cleaned_data
        parts = [
            {"type": given[f"type_{n}"], "office": given[f"office_{n}"], "high": _share(given[f"high_{n}"]), "middle": _share(given[f"middle_{n}"])}
            for n in range(1, self.rows + 1)
            if given[f"high_{n}"] is not None
        ]  # fmt: skip
        return {**{key: _share(given[key]) for key in ("high", "middle", "band")}, "parts": parts}

    def take_faults(self, faults: Mapping[str, str]) -> None:
        """Show the faults of ``thresholds.checked``."""
        for name, message in faults.items():
            parts = name.split(".")
            field = f"{parts[-1]}_{parts[1]}" if len(parts) == 3 else name
            self.add_error(field if field in self.fields else None, message)


class ReasonForm(forms.Form):
    """承認を求める."""

    reason = _long("何をなぜ変えたか")


class BeginForm(forms.Form):
    """案を始める."""

    title = _short("版の名前", longest=60, required=True)
    version = forms.RegexField(r"^[0-9a-f]{64}\Z", required=False, widget=forms.HiddenInput)


def _written(value: Any) -> Any:
    """Text without the carriage returns a browser sends."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _percent(share: Any) -> float:
    return round(100 * float(share), 4)


def _share(percent: float) -> float:
    return round(percent / 100, 6)
