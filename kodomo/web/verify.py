"""Check both audit chains of one installation (casework side)."""

from __future__ import annotations

from typing import Any

from kodomo.configuration import Home


def verify_audit(home: Home) -> dict[str, dict[str, Any]]:
    """Walk the casework chain and the vault's from their first rows.

    Returns for each side ``rows``, ``first_bad`` (a sequence number, or None when all is well)
    and ``fault`` in words. Changes nothing.
    """
    from kodomo.web.start import start_django

    start_django(home, None)
    return verify_audit_here(home)


def verify_audit_here(home: Home) -> dict[str, dict[str, Any]]:
    """The same, in a process where the site's settings already stand."""
    from kodomo.assessment.trail import verify_chains

    return {
        side: {"rows": verdict.rows, "first_bad": verdict.first_bad, "fault": verdict.fault}
        for side, verdict in verify_chains(home).items()
    }
