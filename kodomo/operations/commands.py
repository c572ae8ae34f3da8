"""Quick questions to the other sides: a `kodomo …` command run at once for somebody at a page, its answer as JSON (casework side).

For what takes a second or two. Whatever takes longer is a job.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

from kodomo.assessment.policies import NotAcceptable
from kodomo.errors import Busy, ConfigurationFault, IntegrityFault, NotPermitted, NotReady, StaffError
from kodomo.governance.permissions import Actor
from kodomo.jobs.runner import ASKED_BY, OURSELVES, answer_of
from kodomo.operations.jobs_page import command_globals

LONGEST_SECONDS = 60.0

_KINDS: dict[int, type[StaffError]] = {
    kind.exit_code: kind for kind in (ConfigurationFault, NotPermitted, NotReady, IntegrityFault, Busy)
}


def ask(actor: Actor, *words: str) -> dict[str, Any]:
    """Run one command on behalf of the person and return what it says.

    Raises:
        StaffError: the command refused, in its own words; or it did not answer in time.
    """
    try:
        done = subprocess.run(  # noqa: S603  (our own command; words are passed as they are, no shell)
            [*OURSELVES, *command_globals(), *words, "--json"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=LONGEST_SECONDS, check=False, env={**os.environ, ASKED_BY: actor.username},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Busy(
            "答えが時間内に返りませんでした。", then="ほかの処理が終わってから、もう一度開いてください。"
        ) from None
    told = answer_of(done.stdout)
    if done.returncode == 0:
        return told
    error = told.get("error")
    if not isinstance(error, dict):
        raise NotReady("製品の不具合で、答えが返りませんでした。", then="システム管理者に日時を伝えてください。")
    kind = _KINDS.get(done.returncode, NotAcceptable)
    raise kind(str(error.get("what", "")), where=str(error.get("where", "")), then=str(error.get("then", "")))
