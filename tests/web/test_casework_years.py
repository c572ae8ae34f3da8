"""Generated casework, on which the site's speed is measured, is casework that the site itself could have written."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

from standing_people import EVERYBODY

from kodomo.assessment.models import Assessment, Case, ConferenceDecision
from kodomo.assessment.states import WORKED_STATES
from kodomo.governance.permissions import Role
from kodomo.support.models import Contact, Plan
from kodomo.web.verify import verify_audit_here

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))


def test_three_years_leave_cases_at_work_and_chains_without_a_gap(home: Any, hinata: Any, as_person: Any) -> None:
    from casework_years import Worker, fill_years

    until = dt.datetime(2026, 11, 22, 1, tzinfo=dt.UTC)
    staff = [Worker(p.username, p.name, p.role, p.office) for p in EVERYBODY if p.role is not Role.ANALYST]
    counts = fill_years(home, hinata, seed=4, until=until, staff=staff)
    chains = verify_audit_here(home)
    assert {side: found["first_bad"] for side, found in chains.items()} == {"casework": None, "vault": None}
    assert chains["casework"]["rows"] > counts["audit_events"] > 1_000
    assert Assessment.objects.exists() and Plan.objects.exists() and Contact.objects.count() > 5
    assert ConferenceDecision.objects.exists()
    assert Contact.objects.filter(written_at__gt=until).count() == 0
    assert set(Case.objects.filter(state__in=WORKED_STATES, next_on=None)) == set()
    browser = as_person(next(p for p in EVERYBODY if p.username == "hana"))
    for case in Case.objects.filter(office="family_centre"):
        for page in ("", "support/"):
            assert browser.get(f"/cases/{case.case_number}/{page}").status_code == 200
