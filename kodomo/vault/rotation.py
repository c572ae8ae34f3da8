"""Replace the vault's keys: seal everything anew, then destroy the old keys (identity side).

Killed at any moment, nothing is lost: until the last step both keys are in the key file, and doing it
again goes on where it was.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kodomo.configuration import Home
from kodomo.governance.audit import AuditEvent
from kodomo.governance.keyfile import destroy_former, replace_keys
from kodomo.progress import Progress
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import REPLACEABLE, Keyring, key_file

Beat = Callable[[dict[str, object]], None]


def rotate_keys(
    *, home: Home, by: str, at: dt.datetime, check_alone: Callable[[], None], beat: Beat | None = None
) -> dict[str, Any]:
    """Put new sealing and search keys in place of the old and seal every file and card of the vault with them.

    Copies of the vault made before can be opened only with a copy of the old key file: whoever destroys
    that has destroyed them. Pseudonyms and the audit chain stay as they are. Writes one audit row.

    Args:
        check_alone: raises when another stage works on the vault; asked once the new keys are in the file,
            for a stage begun earlier would go on sealing with the old ones.

    Returns:
        ``files`` and ``persons`` sealed anew; ``resumed``: an interrupted replacement was finished.

    Raises:
        Busy: by ``check_alone``; doing it again later goes on.
        IntegrityFault: a sealed file can't be opened; the old keys are kept.
    """
    open_vault(home)
    path = key_file(home.keys)
    is_new = replace_keys(path, REPLACEABLE)
    check_alone()
    keyring = Keyring.open(home.keys)
    found = list(_sealed_files(home))
    progress = Progress("鍵を取り替える", len(found) + 1, unit="ファイル", beat=beat)
    files = 0
    for sealed in found:
        files += _reseal(sealed, keyring, home)
        progress.add()
    event = AuditEvent(actor=by, role="OPERATOR", action="ROTATE_KEYS", subject="vault", detail={"files": len(found)})
    from kodomo.vault.people import reseal_people  # its models exist only once the vault is open

    with audited(home, keyring, event, at):
        persons = reseal_people(keyring)
    progress.add()
    progress.close()
    destroy_former(path)
    return {"files": files, "persons": persons, "resumed": not is_new}


def _sealed_files(home: Home) -> Iterator[Path]:
    for kind in ("landed", "links"):
        yield from sorted((home.vault / kind).glob("*/*.sealed"))


def _reseal(path: Path, keyring: Keyring, home: Home) -> bool:
    """Whether the file had to be sealed anew. Its place in the vault is what the seal is bound to."""
    place = str(path.relative_to(home.vault).with_suffix("").as_posix())
    body = keyring.reseal(path.read_bytes(), place)
    if body is None:
        return False
    aside = path.with_suffix(f".{os.getpid()}.partial")
    with aside.open("wb") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)
    return True
