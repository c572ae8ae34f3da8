"""Kana as old systems print it: half-width, without small letters, without marks (synthetic city)."""

from __future__ import annotations

_FULL = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
    "ァィゥェォッャュョー・「」。、　"
)
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ･｢｣｡､ "
_VOICED = dict(
    zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", "カキクケコサシスセソタチツテトハヒフヘホウ", strict=True)
)
_PLOSIVE = dict(zip("パピプペポ", "ハヒフヘホ", strict=True))
_NARROW = {
    **dict(zip(_FULL, _HALF, strict=True)),
    **{k: dict(zip(_FULL, _HALF, strict=True))[v] + "ﾞ" for k, v in _VOICED.items()},
    **{k: dict(zip(_FULL, _HALF, strict=True))[v] + "ﾟ" for k, v in _PLOSIVE.items()},
}
_LARGE = str.maketrans("ァィゥェォッャュョヮ", "アイウエオツヤユヨワ")
_PLAIN = str.maketrans({**_VOICED, **_PLOSIVE})


def half_width(text: str) -> str:
    """Full-width katakana to half-width; marks become letters of their own."""
    return "".join(_NARROW.get(c, c) for c in text)


def large_letters(text: str) -> str:
    """Contracted and double consonants written large (キョウ to キヨウ), as line printers knew no small kana."""
    return text.translate(_LARGE)


def drop_marks(text: str) -> str:
    """清音: voicing marks lost."""
    return text.translate(_PLAIN)


def hiragana(text: str) -> str:
    """Katakana to hiragana; ヴ stays as it is, for CP932 has no hiragana for it."""
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ン" else c for c in text)
