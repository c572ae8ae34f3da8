"""All criteria of a municipality together, and the one hash that names them (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kodomo.features.catalogue import Catalogue, read_catalogue
from kodomo.features.coverage import Expectations, read_expectations
from kodomo.governance.criteria_versions import combined_version
from kodomo.judgement.feedback import Rule, read_rules
from kodomo.judgement.labels import Labels, read_labels
from kodomo.judgement.scenarios import Scenarios, read_scenarios


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
        ConfigurationFault: with file, entry and line of every fault of the first file that has any.
    """
    catalogue = read_catalogue(folder)
    expectations, scenarios = read_expectations(folder), read_scenarios(folder, catalogue)
    return Criteria(catalogue, expectations, scenarios, read_labels(folder), read_rules(folder))
