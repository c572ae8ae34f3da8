"""The workbook that goes out: what is asked, and the slip to fill in, with its cells for answers alone unlocked (casework side)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

PAPER_A4 = 9
TALL = 90
"""Points of a row for an answer in words."""


@dataclass(frozen=True)
class Slip:
    """The sheet 回答票: label and printed value of every row (empty: to fill in), and how its cells help."""

    rows: Sequence[tuple[str, str]]
    choices: Mapping[str, Sequence[str]]
    days: Collection[str]
    """Labels beside which a day is written."""
    tall: Collection[str]
    """Labels beside which there is room for several lines."""


def slip_book(told: Sequence[tuple[str, str]], slip: Slip, *, mark: str, made_at: dt.datetime) -> bytes:
    """An xlsx with the sheets お願い and 回答票. Every cell is text; there is no formula, macro, name or link.

    Args:
        told: caption and words of what whoever gets it is told, in order.
        mark: the watermark: whose paper it is, under which number it went out.
        made_at: stands in the file's properties, which hold nothing else.
    """
    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(held, options)
    book.set_properties({"created": made_at.replace(tzinfo=None)})
    formats = {
        "label": book.add_format({"bold": True, "bg_color": "#E8EEF9", "border": 1, "valign": "top", "text_wrap": True}),
        "printed": book.add_format({"border": 1, "valign": "top", "text_wrap": True, "num_format": "@"}),
        "answer": book.add_format({"border": 2, "valign": "top", "text_wrap": True, "locked": False, "num_format": "@"}),
        "mark": book.add_format({"font_color": "#B00020", "bold": True, "text_wrap": True}),
    }  # fmt: skip
    _asked(book.add_worksheet("お願い"), told, mark, formats)
    _slip(book.add_worksheet("回答票"), slip, mark, formats)
    book.close()
    return held.getvalue()


def _asked(sheet: Any, told: Sequence[tuple[str, str]], mark: str, formats: Mapping[str, Any]) -> None:
    _page(sheet, mark)
    sheet.merge_range(0, 0, 0, 1, f"【取扱注意】{mark}", formats["mark"])
    lines = [
        *told,
        ("だれのことか", "このファイルとは別に、口頭でお伝えします。名前をこのファイルに書き込まないでください。"),
        ("返し方", "シート「回答票」の太い枠の中だけに書いて保存し、ファイルを返してください。枠の外に書くと取り込めません。"),
        ("見せてよい人", "頼まれた人だけです。ほかの人に見せたり、写したりしないでください。"),
    ]  # fmt: skip
    for row, (caption, words) in enumerate(lines, 1):
        sheet.write_string(row, 0, caption, formats["label"])
        sheet.write_string(row, 1, words, formats["printed"])
    sheet.protect()


def _slip(sheet: Any, slip: Slip, mark: str, formats: Mapping[str, Any]) -> None:
    _page(sheet, mark)
    for row, (label, value) in enumerate(slip.rows):
        sheet.write_string(row, 0, label, formats["label"])
        sheet.write_string(row, 1, value, formats["printed" if value else "answer"])
        if label in slip.choices:
            sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": list(slip.choices[label])})
        elif label in slip.days:
            hint = {"validate": "any", "input_title": label, "input_message": "例: 2026-12-01、令和8年12月1日"}
            sheet.data_validation(row, 1, row, 1, hint)
        elif label in slip.tall:
            sheet.set_row(row, TALL)
    sheet.protect("", {"select_locked_cells": True})


def _page(sheet: Any, mark: str) -> None:
    """A4, one page wide; the mark grey and large behind the head of each printed page, and in the foot."""
    sheet.set_paper(PAPER_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 62)
    sheet.set_margins(top=1.3)
    sheet.set_header("&C&26&KBBBBBB取扱注意 複写禁止")
    sheet.set_footer(f"&L{mark.replace('&', '&&')}&R&P/&N")
