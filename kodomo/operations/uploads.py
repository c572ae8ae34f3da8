"""Files handed in through the site: bounded, kept in the home's own handover area, and gone after their job (casework side).

A delivered file holds names in clear. It is written into ``handover/uploads`` (readable by the site's account
alone) and nowhere else; receiving takes its own copy from there, and the job's end removes it.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.urls import Resolver404, resolve

from kodomo.configuration import Home
from kodomo.jobs.book import JobBook
from kodomo.jobs.runner import cancel

UPLOAD_BYTES = 256 * 1024 * 1024
"""A year of a city's water bills is a tenth of this. What is larger comes on a medium."""

MARGIN_BYTES = 1024 * 1024
"""What a form adds to its file."""

SLIP_BYTES = 1024 * 1024
"""A form that comes back from a partner or a school is a page or two."""

LARGEST: dict[str | None, int] = {"delivery-upload": UPLOAD_BYTES, "reply": SLIP_BYTES, "inquiry-return": SLIP_BYTES}
"""Name of a page that takes a file → bytes. No other page takes any."""

LONGEST_REST_DAYS = 7
"""So long a stopped job's file waits to be resumed."""

LONGEST_NAME_BYTES = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]|^[.\s]|[.\s]$')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class BoundedUpload(TemporaryFileUploadHandler):
    """Takes a file only on the page that asks for one, from somebody signed in, up to the limit.

    It is asked before the gate is: the form's secret stands in the same body as the file.
    """

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: str, encoding: Any = None
    ) -> None:
        """Refuse a body that is too large, before any of it is read. Raises RequestDataTooBig."""
        largest = self._largest()
        if content_length > (largest + MARGIN_BYTES if largest else settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            raise RequestDataTooBig

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file in the handover area, not in the system's common folder. Raises RequestDataTooBig."""
        if not self._largest():
            raise RequestDataTooBig
        folder = uploads_folder(settings.HOME)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            super().new_file(*args, **kwargs)
        finally:
            tempfile.tempdir = before

    def _largest(self) -> int:
        """How large a file may be here, by this person; 0 where none is expected."""
        request: Any = self.request
        if "_auth_user_id" not in request.session:
            return 0
        try:
            return LARGEST.get(resolve(request.path_info).url_name, 0)
        except Resolver404:
            return 0


def uploads_folder(home: Home) -> Path:
    """Where handed-in files wait for their job."""
    return home.handover / "uploads"


def name_fault(name: str) -> str:
    """What is wrong with a file's name, as a sentence; empty where nothing is."""
    if _UNSAFE.search(name) or _RESERVED.match(name):
        return "ファイル名に使えない文字が入っています。名前を直してから渡してください。"
    if len(name.encode()) > LONGEST_NAME_BYTES:
        return "ファイル名が長すぎます。短くしてから渡してください。"
    return ""


def keep(home: Home, given: TemporaryUploadedFile, password: str) -> tuple[Path, Path | None]:
    """Put a handed-in file under its own name into a folder of its own; returns it and the password's file, if any."""
    folder = uploads_folder(home) / secrets.token_hex(16)
    folder.mkdir(parents=True, mode=0o700)
    path = folder / str(given.name)
    path.touch(mode=0o600)
    Path(given.temporary_file_path()).replace(path)
    if not password:
        return path, None
    secret = folder / ".password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="utf-8")
    return path, secret


def keep_uploads_inside(home: Home, at: dt.datetime) -> None:
    """Let this process put the bodies of large requests into the handover area, and remove what no job needs any more.

    A job that stopped and that nobody resumed for days is given up: its file holds names in clear.
    """
    folder, book = uploads_folder(home), JobBook(home.runs)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    longest = dt.timedelta(days=LONGEST_REST_DAYS).total_seconds()
    for job in book.jobs(limit=1000):
        if job.leftovers and job.can_resume and at.timestamp() - job.asked > longest:
            cancel(book, job.job_number)
    needed = {job.leftovers for job in book.jobs(limit=1000) if job.is_open or job.can_resume}
    for left in folder.iterdir():
        if str(left) not in needed:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    tempfile.tempdir = str(folder)
