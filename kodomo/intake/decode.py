"""Bytes of an extract into text, with what can't be decoded marked and not lost (identity side).

Undecodable bytes become lone surrogates (U+DC80–DCFF), which no real text holds; a cell that has
one sends its row to quarantine and the rest of the file lands. Private-use characters (外字) and
vendor characters of CP932 stay as they are.
"""

from __future__ import annotations

import codecs
import re

DAMAGED = re.compile("[\udc80-\udcff]")

ENCODING_NAMES = {
    "cp932": "CP932(シフトJIS)", "utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16", "euc-jp": "日本語 EUC", "iso-2022-jp": "ISO-2022-JP",
}  # fmt: skip

_UTF8_CLASSES = bytes(1 if 0xE3 <= byte <= 0xE9 else 2 if 0x80 <= byte <= 0xBF else 0 for byte in range(256))
_UTF8_RUN = b"\1\2\2\1\2\2"
"""Two kana or kanji in UTF-8, one after the other, as classes of bytes: looked for at the speed of memory."""


def decode(content: bytes, encoding: str) -> str:
    """Decode a whole file in its declared encoding. Never raises for content; marks what it cannot read."""
    if encoding == "iso-2022-jp":
        return _from_jis(content)
    if encoding.startswith("utf-16"):
        return _from_utf16(content, encoding)
    if encoding == "euc-jp":
        return _from_euc(content)
    if encoding in ("utf-8", "utf-8-sig"):
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    if content.startswith(codecs.BOM_UTF8):
        return content[3:].decode("utf-8", "surrogateescape")
    return content.decode(encoding, "surrogateescape")


def foreign_lines(content: bytes, encoding: str) -> set[int]:
    """Physical lines (0-based) of a CP932 file that are written in UTF-8.

    Half of such lines decode as CP932 without an error, into nonsense; so they are looked for in
    the bytes. A line counts only when it is valid UTF-8 as a whole and holds a run of Japanese.
    """
    if encoding != "cp932" or content.startswith(codecs.BOM_UTF8):
        return set()
    found: set[int] = set()
    classes = content.translate(_UTF8_CLASSES)
    line, counted, at = 0, 0, classes.find(_UTF8_RUN)
    while at >= 0:
        start = content.rfind(b"\n", 0, at) + 1
        end = content.find(b"\n", at)
        end = len(content) if end < 0 else end
        if _is_utf8(content[start:end]):
            line += content.count(b"\n", counted, start)
            counted = start
            found.add(line)
        at = classes.find(_UTF8_RUN, end)
    return found


def likely_encoding(content: bytes) -> str:
    """The encoding a file seems to be written in, for a hint to staff; empty when nothing fits."""
    head = content[:200_000]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head[1::2].count(0) > len(head) // 4:
        return "utf-16"
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8"  # damaged or not: ``decode`` follows the mark as well
    if re.search(rb"\x1b\$[@B]", head):
        return "iso-2022-jp"
    for encoding in ("utf-8", *_eight_bit(head)):
        if encoding == "euc-jp" or _decodes(head, encoding):
            return encoding
    return ""


def _decodes(head: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(head)
    except UnicodeDecodeError:
        return False
    return True


_KANA = re.compile("[ぁ-んァ-ヶ一-龠々ー、。()0-9A-Z]")


def _eight_bit(head: bytes) -> tuple[str, ...]:
    """CP932 and EUC-JP, the likelier first: text in one read as the other is full of half-width kana and damage."""
    as_euc = _from_euc(head)
    euc_damage = len(DAMAGED.findall(as_euc))
    if euc_damage > 2 + len(head) // 2000 or not re.search(rb"[\xa1-\xfe]{2}", head):
        return ("cp932",)
    as_cp932 = head.decode("cp932", "surrogateescape")
    euc_plain = len(_KANA.findall(as_euc)) / max(len(as_euc), 1)
    cp932_plain = len(_KANA.findall(as_cp932)) / max(len(as_cp932), 1)
    return ("euc-jp", "cp932") if euc_plain > cp932_plain else ("cp932", "euc-jp")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _from_utf16(content: bytes, encoding: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", "replace")
    elif encoding == "utf-16":
        zeros_first = content[0:2000:2].count(0) > content[1:2000:2].count(0)
        text = content.decode("utf-16-be" if zeros_first else "utf-16-le", "replace")
    else:
        text = content.decode(encoding, "replace")
    return text.replace("\ufffd", "\udcff")


_EUC = re.compile(rb"[\x00-\x8d\x90-\xa0\xff]+|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|(?:[\xa1-\xfe]{2})+|.", re.S)


def _from_euc(content: bytes) -> str:
    """EUC-JP by way of CP932, as for JIS: so that one character is the same character whatever the source."""
    return "".join(_euc_piece(match.group()) for match in _EUC.finditer(content))


def _euc_piece(piece: bytes) -> str:
    lead = piece[0]
    if lead < 0x80:
        return piece.decode("ascii", "surrogateescape")
    if lead == 0x8E and len(piece) == 2:
        return piece[1:].decode("cp932", "surrogateescape")
    if lead == 0x8F and len(piece) == 3:
        return piece.decode("euc_jp", "replace").replace("\ufffd", "\udcff")
    if lead >= 0xA1 and len(piece) % 2 == 0:
        return "".join(_shifted(bytes(b & 0x7F for b in piece)))
    return "\udcff" * len(piece)


_ESCAPES = re.compile(rb"\x1b(\([BJI]|\$[@B]|\$\([@BD])")


def _from_jis(content: bytes) -> str:
    """ISO-2022-JP by way of CP932, whose tables know ①, 髙 and other vendor characters (row 13, rows 89–92)."""
    pieces, mode, start = [], b"(B", 0
    for match in _ESCAPES.finditer(content):
        pieces.append(_jis_piece(content[start : match.start()], mode))
        mode, start = match.group(1), match.end()
    pieces.append(_jis_piece(content[start:], mode))
    return "".join(pieces)


def _jis_piece(piece: bytes, mode: bytes) -> str:
    if mode == b"(I":
        return bytes(b | 0x80 if 0x21 <= b <= 0x5F else b for b in piece).decode("cp932", "surrogateescape")
    if mode in (b"(B", b"(J"):
        return piece.decode("cp932", "surrogateescape")
    if mode == b"$(D":
        return "\udcff" * (len(piece) // 2)  # JIS X 0212 has no place in CP932
    return "".join(_shifted(piece))


def _shifted(piece: bytes) -> list[str]:
    """JIS X 0208 byte pairs through their Shift_JIS positions; line ends pass."""
    out, at = [], 0
    while at < len(piece):
        if piece[at] < 0x21 or at + 1 == len(piece):
            out.append(chr(piece[at]) if piece[at] < 0x21 else "\udcff")
            at += 1
            continue
        row, cell = piece[at], piece[at + 1]
        at += 2
        if row > 0x7E or not 0x21 <= cell <= 0x7E:  # no pair of the table's
            out.append("\udcff")
            continue
        lead = (row + 1) // 2 + (0x70 if row <= 0x5E else 0xB0)
        trail = cell + 0x7E if row % 2 == 0 else cell + 0x1F + (1 if cell >= 0x60 else 0)
        out.append(bytes((lead, trail)).decode("cp932", "surrogateescape"))
    return out
