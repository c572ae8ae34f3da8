"""What a municipality's layouts say about each source, as far as operators need it: its name, holder and freshness (casework side)."""

from __future__ import annotations

from dataclasses import dataclass

from kodomo.configuration import Municipality, read_toml
from kodomo.governance.permissions import Action, Actor, Scope, scope


@dataclass(frozen=True)
class Source:
    """One source: a file that an office delivers again and again."""

    code: str
    caption: str
    system: str
    holder: str
    pattern: str
    freshness_days: int


def all_sources(municipality: Municipality) -> dict[str, Source]:
    """Every source of the municipality's folder, by code. Raises ConfigurationFault for a file that can't be read."""
    found = {}
    for path in sorted((municipality.folder / "sources").glob("*.toml")):
        body = read_toml(path)
        pattern = body.get("file", {}).get("pattern", "")
        found[str(body.get("source", path.stem))] = Source(
            code=str(body.get("source", path.stem)),
            caption=str(body.get("caption", path.stem)),
            system=str(body.get("system", "")),
            holder=str(body.get("holder", "")),
            pattern="、".join(pattern) if isinstance(pattern, list) else str(pattern),
            freshness_days=int(body.get("freshness_days", 0)),
        )
    return found


def own_sources(actor: Actor, municipality: Municipality) -> dict[str, Source]:
    """The sources a person may see: a holder's office sees its own, the coordinating office all."""
    found = all_sources(municipality)
    if scope(actor.role, Action.VIEW_DELIVERIES) is Scope.EVERY_OFFICE:
        return found
    return {code: source for code, source in found.items() if source.holder == actor.office}
