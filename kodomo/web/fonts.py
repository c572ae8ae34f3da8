"""The site's own Japanese font, cut into slices a browser fetches one by one, for PCs that have none (casework side).

A PC with any Japanese font fetches nothing: the style sheet names installed families first. The font comes from an
installed package (Noto Sans JP, SIL Open Font License), not from the network; cutting it takes a minute at set-up.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kodomo.errors import NotReady

FAMILY = "Kodomo Noto Sans JP"
FOLDER = Path(__file__).parent / "static" / "web" / "fonts"
STYLE = "fonts.css"
LICENCE = "OFL.txt"
FIRST_PAGES = ("base.html", "sign_in.html", "field.html", "faults.html")
"""What everybody sees before anything else: its characters make the first slice."""
EVERYWHERE = "".join(map(chr, range(0x3041, 0x3094))) + "市区町村"
"""Beside them: hiragana, and what every municipality's name ends with."""
SLICE = 120
"""Characters of the product's own words in one slice: under 20 kB."""
LATIN = 0x7E
"""Letters and figures up to here every PC has."""
REST = 640
"""Other characters, rarely needed, in one slice."""


def is_made(folder: Path = FOLDER) -> bool:
    """Whether the slices are there."""
    return (folder / STYLE).is_file()


def make_fonts(folder: Path = FOLDER, *, only_words: bool = False) -> dict[str, Any]:
    """Cut the font into slices and write the style sheet that names them.

    Reads the installed font package and the words of the product's own pages. Writes into the folder alone.

    Args:
        only_words: leave out the characters no page of the product has of itself.

    Returns:
        Counts and bytes.

    Raises:
        NotReady: a package this needs is not installed.
    """
    started = time.monotonic()
    source, covered = _source()
    own, rest = _slices(covered)
    slices = own if only_words else own + rest
    folder.mkdir(parents=True, exist_ok=True)
    # The style sheet goes first and comes last: who stops this half-way leaves no sheet that names missing slices.
    for old in [folder / STYLE, *folder.glob("*.woff2")]:
        old.unlink(missing_ok=True)
    # A slice of rare characters says its whole span: listing each would make the style sheet larger than the page.
    spans = [_ranges(letters) for letters in own] + [f"U+{ord(part[0]):X}-{ord(part[-1]):X}" for part in rest]
    faces = [_face(folder, source, number, *one) for number, one in enumerate(zip(slices, spans, strict=False))]
    # Of two faces that name a character the later one counts: the most needed stand last.
    (folder / STYLE).write_text("\n".join(reversed(faces)) + "\n", encoding="utf-8")
    licence = next(source.parent.parent.glob("pylopdf_fonts_jp-*.dist-info/licenses/LICENSE"), None)
    if licence is not None:
        shutil.copyfile(licence, folder / LICENCE)
    size = sum(path.stat().st_size for path in folder.glob("*.woff2"))
    return {"slices": len(slices), "characters": len(covered), "bytes": size, "folder": str(folder),
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def own_words() -> list[list[str]]:
    """The characters of the product's pages and messages: those of the first pages, of other pages, of messages."""
    package = Path(__file__).resolve().parent.parent
    pages = sorted(package.glob("*/templates/**/*.html"))
    first = "".join(p.read_text(encoding="utf-8") for p in pages if p.name in FIRST_PAGES and p.parent.name == "web")
    first += (package / "web" / "sign_in.py").read_text(encoding="utf-8")
    others = "".join(p.read_text(encoding="utf-8") for p in pages)
    messages = "".join(p.read_text(encoding="utf-8") for p in sorted(package.glob("*/*.py")))
    seen: set[str] = set()
    groups = []
    for text in (first + EVERYWHERE, others, messages):
        groups.append(sorted({c for c in text if ord(c) > LATIN and (not c.isspace() or c == "\u3000")} - seen))
        seen |= set(groups[-1])
    return groups


def _slices(covered: set[str]) -> tuple[list[list[str]], list[list[str]]]:
    """The product's own characters in the order in which they are met, and all others."""
    first, *others = ([c for c in group if c in covered] for group in own_words())
    own = [first, *(part for group in others for part in _parts(group, SLICE))]
    return own, _parts(sorted(covered - {c for part in own for c in part}), REST)


def _parts(letters: Sequence[str], size: int) -> list[list[str]]:
    return [list(letters[n : n + size]) for n in range(0, len(letters), size)]


def _face(folder: Path, source: Path, number: int, letters: Iterable[str], span: str) -> str:
    from fontTools import subset

    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["kern", "locl", "vert"]
    options.hinting = False
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(letters))
    name = f"noto-{number:02d}.woff2"
    with subset.load_font(str(source), options) as font:
        cutter.subset(font)
        subset.save_font(font, str(folder / name), options)
    # Browsers keep an address for a year: another edition's slice, with other characters, must be another address.
    address = f"{name}?v={hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]}"
    return (
        f'@font-face {{ font-family: "{FAMILY}"; src: url("{address}") format("woff2"); font-display: swap; '
        f"unicode-range: {span}; }}"
    )


def _ranges(letters: Iterable[str]) -> str:
    """Code points as CSS says them: U+3041-3096, U+4E00, …"""
    runs: list[list[int]] = []
    for point in sorted(map(ord, letters)):
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return ", ".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in runs)


def _source() -> tuple[Path, set[str]]:
    """The font file, and the characters it has."""
    try:
        import brotli  # noqa: F401  (woff2 is written with it)
        from fontTools.ttLib import TTFont
        from pylopdf_fonts_jp import sans_path
    except ImportError as missing:
        package = re.sub(r"[^\w.-]", "", missing.name or "")
        raise NotReady(
            "画面の字体をつくる部品が入っていません。", where=package,
            then="導入の手順(make)をもう一度行ってください。字体がなくても、画面は使えます。",
        ) from None  # fmt: skip
    path = Path(sans_path())
    with TTFont(path, lazy=True) as font:
        return path, {chr(point) for point in font.getBestCmap() if point > LATIN}
