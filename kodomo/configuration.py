"""One installation's places and one municipality's settings, read once, frozen (shared ground)."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kodomo.errors import ConfigurationFault
from kodomo.terms import DifficultyType

SHIPPED_MUNICIPALITIES = Path(__file__).resolve().parent.parent / "municipalities"


@dataclass(frozen=True)
class Home:
    """Where everything of one installation lives. Each side owns its folders and needs no other's.

    ``vault/`` and ``keys/vault.json`` belong to the identity side, ``store/`` to the analysis side,
    ``casework/`` and ``keys/casework.json`` to the casework side.
    """

    root: Path

    @property
    def handover(self) -> Path:
        """データ受け渡し領域: where deliveries arrive."""
        return self.root / "handover"

    @property
    def vault(self) -> Path:
        """The identity side's database and sealed files."""
        return self.root / "vault"

    @property
    def store(self) -> Path:
        """The pseudonymous child database."""
        return self.root / "store"

    @property
    def casework(self) -> Path:
        """The casework side's database."""
        return self.root / "casework"

    @property
    def keys(self) -> Path:
        """Key files, one per side, apart from the data they open."""
        return self.root / "keys"

    @property
    def governance(self) -> Path:
        """Who approved what that judges children, and copies of the criteria approvals speak of."""
        return self.root / "governance"

    @property
    def spill(self) -> Path:
        """Where a query engine may put what does not fit in memory."""
        return self.root / "spill"

    @property
    def runs(self) -> Path:
        """The ledger of long work."""
        return self.root / "runs"


@dataclass(frozen=True)
class Office:
    """担当部局・課室."""

    code: str
    name: str
    institution: str
    age_bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Municipality:
    """One municipality's folder: settings, and where its layouts, register and criteria lie.

    ``adopted`` is where the criteria lie that were approved on the site (``governance.criteria_in_force``).
    """

    folder: Path
    code: str
    name: str
    prefecture: str
    types: tuple[DifficultyType, ...]
    purpose_text: str
    offices: tuple[Office, ...]
    capacity_high: float
    capacity_middle: float
    suppression_threshold: int
    rounding_base: int
    extras: dict[str, Any]
    adopted: Path | None = None

    @property
    def criteria_folder(self) -> Path:
        """The folder whose ``criteria/`` judges: the version adopted on the site, else the municipality's own folder."""
        return self.adopted or self.folder

    @property
    def areas(self) -> dict[str, tuple[str, ...]]:
        """The municipality's areas, coarser than a town, by name: the towns of each (``[areas]``); none when it names none."""
        return {name: tuple(towns) for name, towns in self.extras.get("areas", {}).items()}

    def office(self, code: str) -> Office:
        """The office with this code. Raises ConfigurationFault."""
        for office in self.offices:
            if office.code == code:
                return office
        raise ConfigurationFault(
            f"部署コード「{code}」が offices.toml にありません。", where=str(self.folder / "offices.toml")
        )


def area_code(name: str) -> str:
    """What stands for a named area in the child database: its name is no secret, but only this code is stored."""
    return "a" + hashlib.sha256(f"area:{name}".encode()).hexdigest()[:8]


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the municipality's folder.

    Raises:
        ConfigurationFault: missing, not UTF-8 or not TOML; names the file and the line.
    """
    try:
        return copy.deepcopy(_parsed(path.read_bytes()))
    except FileNotFoundError:
        raise ConfigurationFault(
            "設定ファイルがありません。", where=str(path), then="自治体フォルダを確かめてください。"
        ) from None
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise ConfigurationFault(
            f"設定ファイルを読めません。{line} 行目: 文字コードが UTF-8 ではありません。",
            where=str(path), then="UTF-8 で保存し直してください。",
        ) from None  # fmt: skip
    except tomllib.TOMLDecodeError as fault:
        raise ConfigurationFault(
            f"設定ファイルを読めません。{_syntax_fault(str(fault))}", where=str(path), then="書き方を直してください。"
        ) from None


@lru_cache(maxsize=128)
def _parsed(content: bytes) -> dict[str, Any]:
    """A file's tables; a copy of what was parsed before takes a seventh of the time."""
    return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))


SYNTAX = (
    ("Expected '=' after a key", "キーのあとに半角の「=」がありません"),
    ("Illegal character", '閉じる「"」がないか、使えない文字があります'),
    ("Cannot overwrite a value", "同じキーが二度書かれているか、[[表]] が [表] になっています"),
    ("Cannot declare", "同じ表が二度書かれています"),
    ("Expected newline", "一行に一つだけ書いてください(値のあとに余分な文字があります)"),
    ("Unclosed", "[ ] か { } が閉じていません"),
    ("Unterminated string", '閉じる「"」がありません'),
    ("Expected ", "[ ] か [[ ]] が閉じていません"),
    ("Invalid value", '値の書き方が正しくありません(文字は半角の「"」で囲み、数と記号は半角で書きます)'),
    ("Invalid statement", "「キー = 値」か [[表]] の形ではありません(キーは半角の英字)"),
)
"""How the parser's message begins, and what staff read; the first that fits."""


def _syntax_fault(message: str) -> str:
    """The parser's message in Japanese, with the line."""
    words = next((own for start, own in SYNTAX if message.startswith(start)), "書き方が正しくありません")
    place = re.search(r"at line (\d+)", message)
    return f"{place.group(1)} 行目: {words}。" if place else f"ファイルの終わり: {words}。"


def read_municipality(folder: Path) -> Municipality:
    """Read ``settings.toml`` and ``offices.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: a file or key is missing or its value is unusable.
    """
    if not folder.is_dir():
        raise ConfigurationFault(
            "自治体フォルダがありません。", where=str(folder),
            then="--municipality で場所を指定するか、kodomo municipality new で作ってください。",
        )  # fmt: skip
    where = folder / "settings.toml"
    settings, listed = read_toml(where), read_toml(folder / "offices.toml").get("offices")
    faults = _settings_faults(settings) + _offices_faults(listed)
    if faults or not isinstance(listed, list):
        raise ConfigurationFault(
            f"自治体フォルダの設定に誤りが {len(faults)} 件あります。\n" + "\n".join(f"・{fault}" for fault in faults),
            where=str(folder), then="示された項目を直してください。", faults=faults,
        )  # fmt: skip
    offices = tuple(Office(o["code"], o["name"], o["institution"], tuple(o.get("age_bands", ()))) for o in listed)
    return Municipality(
        folder=folder,
        code=settings["code"],
        name=settings["name"],
        prefecture=settings.get("prefecture", ""),
        types=tuple(DifficultyType.from_label(label) for label in settings["types"]),
        purpose_text=settings["purpose"],
        offices=offices,
        capacity_high=float(settings["capacity"]["high"]),
        capacity_middle=float(settings["capacity"]["middle"]),
        suppression_threshold=int(settings["suppression"]["threshold"]),
        rounding_base=int(settings["suppression"]["rounding"]),
        extras=settings,
    )


def _settings_faults(settings: dict[str, Any]) -> list[str]:
    """What ``settings.toml`` lacks, each as file, key and fault."""
    faults = []
    for key, kind, words in (("code", str, "文字列"), ("name", str, "文字列"), ("types", list, "[ ] の並び"),
                             ("purpose", str, "文字列"), ("capacity", dict, "[capacity] の表"), ("suppression", dict, "[suppression] の表")):  # fmt: skip
        if key not in settings:
            faults.append(f"settings.toml: {key}: 書かれていません")
        elif not isinstance(settings[key], kind):
            faults.append(f"settings.toml: {key}: {words}で書いてください")
    for part, keys in (("capacity", ("high", "middle")), ("suppression", ("threshold", "rounding"))):
        body = settings.get(part)
        if not isinstance(body, dict):
            continue
        for key in keys:
            if not isinstance(body.get(key), int | float) or isinstance(body.get(key), bool):
                faults.append(f"settings.toml: {part}.{key}: 数で書いてください")
    faults += _areas_faults(settings.get("areas", {}))
    labels = [member.label for member in DifficultyType]
    for label in settings["types"] if isinstance(settings.get("types"), list) else ():
        if label not in labels:
            faults.append(f"settings.toml: types: 類型「{label}」はありません(使えるのは {'、'.join(labels)})")
    return faults


def _areas_faults(areas: Any) -> list[str]:
    """What is wrong with ``[areas]``: a name without its towns, or a town that lies in two areas."""
    if not isinstance(areas, dict):
        return ["settings.toml: areas: [areas] の表で書いてください"]
    faults, of_town = [], dict[str, str]()
    for name, towns in areas.items():
        if not isinstance(towns, list) or not towns or not all(isinstance(town, str) and town for town in towns):
            faults.append(f"settings.toml: areas.{name}: 地区に入る町名を [ ] の並びで書いてください")
            continue
        for town in towns:
            if of_town.setdefault(town, name) != name:
                faults.append(f"settings.toml: areas.{name}: 「{town}」は「{of_town[town]}」にも入っています")
    return faults


def _offices_faults(listed: Any) -> list[str]:
    """What ``offices.toml`` lacks."""
    if not isinstance(listed, list) or not listed or not all(isinstance(office, dict) for office in listed):
        return ["offices.toml: offices: 課を一つ以上、[[offices]] の形で書いてください"]
    return [
        f"offices.toml: offices[{position}].{key}: 書かれていません"
        for position, office in enumerate(listed, 1)
        for key in ("code", "name", "institution")
        if not isinstance(office.get(key), str) or not office[key]
    ]


def responsible_office(municipality: Municipality, age_band: str) -> str:
    """An age band belongs to the office that has this band alone, else to the first office listed with it.

    So 就学前 goes to the office for young children where there is one, and everybody else to the
    centre. The order in ``offices.toml`` is the municipality's own rule.
    """
    having = [office for office in municipality.offices if age_band in office.age_bands]
    if not having:
        raise ConfigurationFault(
            f"年齢区分「{age_band}」を受け持つ部署がありません。",
            where=str(municipality.folder / "offices.toml"),
            then="どれかの部署の age_bands に加えてください。",
        )
    alone = [office for office in having if len(office.age_bands) == 1]
    return (alone or having)[0].code


def parse_date(text: str, where: str) -> dt.date:
    """An ISO date from the command line or a settings file. Raises ConfigurationFault."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationFault("日付は 2026-03-31 の形で書いてください。", where=where) from None
