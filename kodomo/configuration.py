"""One installation's places and one municipality's settings, read once, frozen (shared ground)."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
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
    """One municipality's folder: settings, and where its layouts, register and criteria lie."""

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

    def office(self, code: str) -> Office:
        """The office with this code. Raises ConfigurationFault."""
        for office in self.offices:
            if office.code == code:
                return office
        raise ConfigurationFault(
            f"部署コード「{code}」が offices.toml にありません。", where=str(self.folder / "offices.toml")
        )


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the municipality's folder.

    Raises:
        ConfigurationFault: missing or not TOML; names the file and, for a syntax error, the place.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationFault(
            "設定ファイルがありません。", where=str(path), then="自治体フォルダを確かめてください。"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigurationFault(
            "設定ファイルを読めません。", where=f"{path} ({fault})", then="書き方を直してください。"
        ) from None


def read_municipality(folder: Path) -> Municipality:
    """Read ``settings.toml`` and ``offices.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: a file or key is missing or its value is unusable.
    """
    where = folder / "settings.toml"
    settings = read_toml(where)
    try:
        offices = tuple(
            Office(o["code"], o["name"], o["institution"], tuple(o.get("age_bands", ())))
            for o in read_toml(folder / "offices.toml")["offices"]
        )
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
    except KeyError as missing:
        raise ConfigurationFault(f"設定の項目 {missing} がないか、値が使えません。", where=str(where)) from None


def parse_date(text: str, where: str) -> dt.date:
    """An ISO date from the command line or a settings file. Raises ConfigurationFault."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationFault("日付は 2026-03-31 の形で書いてください。", where=where) from None
