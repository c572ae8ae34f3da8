"""Whether criteria somebody is writing would load, with each fault at its field (analysis side)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kodomo.errors import ConfigurationFault
from kodomo.judgement.criteria import as_mark, read_all_criteria


def check_draft(folder: Path) -> dict[str, Any]:
    """Read criteria as judging would.

    Args:
        folder: holds ``criteria/``.

    Returns:
        ``faults``: file, table, entry, key and message of each; of all files. A file that is no
        TOML, or lacks something as a whole, is one fault without table.
    """
    try:
        criteria = read_all_criteria(folder)
    except ConfigurationFault as refusal:
        marks = refusal.details.get("marks")
        return {"faults": marks if isinstance(marks, list) and marks else [as_mark(refusal)]}
    return {"faults": [], "version": criteria.sha256, "title": criteria.scenarios.version}
