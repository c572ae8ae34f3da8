"""Whose capacity counts for which child: by type and by office, as the thresholds in force say (analysis side)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Municipality, responsible_office
from kodomo.governance.thresholds import thresholds
from kodomo.judgement.levels import Capacity
from kodomo.terms import AgeBand

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Capacities:
    """The capacity of everybody, and those of single types and offices by (type's code, office's code), either empty.

    ``office_of`` names the office responsible for an age band; it is asked only where an office has its own capacity.
    """

    everybody: Capacity
    parts: Mapping[tuple[str, str], Capacity] | None = None
    office_of: Mapping[str, str] | None = None

    def of_type(self, kind: str) -> Capacity:
        """The capacity of a type where no office has its own."""
        return (self.parts or {}).get((kind, ""), self.everybody)

    def pools(self, kind: str, bands: Texts) -> Iterator[tuple[Capacity, NDArray[np.bool_]]]:
        """Each capacity of a type and the children ranked within it; every child stands in exactly one.

        Args:
            bands: the children's age bands.
        """
        rest = np.ones(len(bands), dtype=bool)
        offices = np.array([(self.office_of or {}).get(str(band), "") for band in bands], dtype=object)
        parts = self.parts or {}
        for office in sorted({place[1] for place in parts if place[1]}):
            own = parts.get((kind, office), parts.get(("", office)))
            if own is not None:
                members = rest & np.asarray(offices == office, dtype=bool)
                rest &= ~members
                yield own, members
        yield self.of_type(kind), rest


def capacities(municipality: Municipality) -> Capacities:
    """The capacities in force. Raises ConfigurationFault."""
    said = thresholds(municipality)
    parts = {
        (part["type"], part["office"]): Capacity(part["high"], part["middle"], said["band"])
        for part in said.get("parts", ())
    }
    everybody = Capacity(said["high"], said["middle"], said["band"])
    if not any(office for _, office in parts):
        return Capacities(everybody, parts)
    offices = {band.value: responsible_office(municipality, band.value) for band in AgeBand}
    return Capacities(everybody, parts, offices)
