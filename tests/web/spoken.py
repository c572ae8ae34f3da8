"""Finds English on a page: in text, and in what is read aloud or shown in a field."""

from __future__ import annotations

import re
from html import unescape

ALLOWED = {"A4", "CSV", "DV", "DADS", "NPO", "EPDS"}
"""Latin letters that Japanese offices use themselves."""


def english_in(body: str) -> set[str]:
    """Latin words of an HTML page that a reader would see or hear."""
    shown = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", body, flags=re.DOTALL)
    # What is a code on purpose (account numbers, machine-made secrets) says so.
    shown = re.sub(r"<(\w+)[^>]*\bdata-code\b[^>]*>.*?</\1>", " ", shown, flags=re.DOTALL)
    spoken = " ".join(re.findall(r'(?:alt|title|placeholder|aria-label|data-label)="([^"]*)"', shown))
    return english_words(unescape(re.sub(r"<[^>]+>", " ", shown) + " " + spoken))


def english_words(text: str) -> set[str]:
    """Latin words of plain text, but for the allowed ones."""
    return {word for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", text) if word not in ALLOWED}
