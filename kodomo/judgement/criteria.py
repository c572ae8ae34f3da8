"""All criteria of a municipality together, and the one hash that names them (analysis side)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kodomo.errors import ConfigurationFault
from kodomo.features.catalogue import Catalogue, read_catalogue
from kodomo.features.coverage import Expectations, read_expectations
from kodomo.governance.criteria_versions import combined_version
from kodomo.judgement.feedback import Rule, read_rules
from kodomo.judgement.labels import Labels, read_labels
from kodomo.judgement.scenarios import Scenarios, read_scenarios

T = TypeVar("T")


@dataclass(frozen=True)
class Criteria:
    """判定基準: indicators, coverage, scenarios and labels."""

    catalogue: Catalogue
    expectations: Expectations
    scenarios: Scenarios
    labels: Labels
    feedback: tuple[Rule, ...] = ()

    @property
    def sha256(self) -> str:
        """The version: one hash over the four files (``governance.criteria_versions``)."""
        parts = (self.catalogue.sha256, self.expectations.sha256, self.scenarios.sha256, self.labels.sha256)
        return combined_version(parts)


def read_all_criteria(folder: Path) -> Criteria:
    """Read the four files under ``criteria/``.

    Raises:
        ConfigurationFault: with file, entry and line of every fault of all files.
    """
    faults: list[ConfigurationFault] = []

    def read(part: Callable[[], T]) -> T | None:
        try:
            return part()
        except ConfigurationFault as fault:
            if str(fault) not in map(str, faults):
                faults.append(fault)
            return None

    catalogue = read(lambda: read_catalogue(folder))
    expectations = read(lambda: read_expectations(folder))
    # Conditions name indicators: without a readable catalogue they'd all be called unknown.
    scenarios = read(lambda: read_scenarios(folder, catalogue)) if catalogue else None
    labels, rules = read(lambda: read_labels(folder)), read(lambda: read_rules(folder))
    if catalogue is None or expectations is None or scenarios is None or labels is None or rules is None:
        raise _together(faults)
    return Criteria(catalogue, expectations, scenarios, labels, rules)


def _together(faults: list[ConfigurationFault]) -> ConfigurationFault:
    """One refusal of several files: every fault of each."""
    if len(faults) == 1:
        return faults[0]
    marks: list[object] = []
    for fault in faults:
        own = fault.details.get("marks")
        marks += own if isinstance(own, list) else [as_mark(fault)]
    return ConfigurationFault(
        f"判定基準のファイルに直すところが {len(marks)} か所あります。",
        where="\n".join(
            fault.where if fault.details.get("marks") else f"{fault.where}\n  {fault.what}" for fault in faults
        ),
        then="示した行を直して、もう一度実行してください。",
        faults=len(marks),
        marks=marks,
    )


def as_mark(fault: ConfigurationFault) -> dict[str, str]:
    """A refusal of a whole file in the form of a fault of one field."""
    name = Path(fault.where.splitlines()[0]).name if fault.where else ""
    return {"file": name, "table": "", "entry": "", "key": "", "message": fault.what}
