"""The pictures of the guide for staff: taken while every page is looked at, and known to be out of date by their words.

``docs/images/pages.json`` holds, for each picture, a digest of what its page says (numbers and dates apart). When a
page says something else, the test fails until ``make screenshots`` has taken it anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DIGESTS = IMAGES / "pages.json"

PICTURED = (
    "shortlist", "first-view", "case", "sheet", "decide", "inquiry", "answer", "inquiry-return", "conference-call", "conference-item",
    "conference-minutes", "plan", "contact", "support", "package-make", "package-approve", "package-file", "packages",
    "reply", "takeover", "open-case", "transfer", "close",
    "deliveries", "delivery-upload", "delivery", "register", "link-pairs", "jobs", "job", "runs", "run", "evaluation", "models",
    "criteria", "capacity", "drafts", "draft", "draft-type", "draft-entry", "draft-indicators", "draft-capacity", "criteria-version",
)  # fmt: skip
"""Pages that the guide shows, by the name of their address."""

SIZE = {"width": 1280, "height": 720}
SCALE = 0.6
"""Small enough for a repository, large enough to read the headings."""

MAIN_TEXT = """() => {
  const copy = document.querySelector("main").cloneNode(true);
  copy.querySelectorAll("[data-code], script, svg").forEach(e => e.remove());
  return copy.innerText;
}"""

IS_ASKED = bool(os.environ.get("KODOMO_SCREENSHOTS"))


def known() -> dict[str, str]:
    """Name → digest of what the page said when its picture was taken."""
    found: dict[str, str] = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    return found


def digest(text: str) -> str:
    """Of the words alone, each once: numbers and dates are other ones on every run, and cases come in a drawn order."""
    words = sorted(set(re.split(r"[\d\s]+", text)))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def picture(page: Any, name: str) -> None:
    """Compare a page with its picture's words; take the picture when asked to."""
    if name not in PICTURED:
        return
    said = digest(page.evaluate(MAIN_TEXT))
    if IS_ASKED and known().get(name) != said:
        _take(page, name)
        DIGESTS.write_text(json.dumps(dict(sorted({**known(), name: said}.items())), indent=1) + "\n")
    assert known().get(name) == said, f"手引きの画面 {name} が古くなっています(make screenshots)"


def _take(page: Any, name: str) -> None:
    """The same page, for the same person, on a small canvas."""
    context = page.context.browser.new_context(
        viewport=SIZE, locale="ja-JP", device_scale_factor=SCALE, storage_state=page.context.storage_state()
    )
    small = context.new_page()
    small.goto(page.url)
    IMAGES.mkdir(parents=True, exist_ok=True)
    small.screenshot(path=str(IMAGES / f"{name}.png"))
    context.close()
