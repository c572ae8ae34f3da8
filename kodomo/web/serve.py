"""Prepare the casework site and serve it from one process (casework side)."""

from __future__ import annotations

import datetime as dt
import gc
import sys
import time
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.errors import Busy, NotPermitted, NotReady
from kodomo.governance.permissions import Role
from kodomo.web.start import migrate, start_django

THREADS = 8


def prepare(*, home: Home, municipality: Municipality, demo: bool) -> dict[str, Any]:
    """Make everything ready for serving: both databases and accounts; for a demonstration its released cases too.

    Reads the store. Writes tables, demonstration accounts and cases (with ``demo``) or one first
    administrator (without, when there is nobody yet). Repeating it changes nothing.
    Without ``demo`` it closes a demonstration: its accounts are stopped.

    Returns counts, and ``accounts`` with what must be told to people once.
    """
    started = time.monotonic()
    _claim(home, municipality)
    start_django(home, municipality)
    migrate()
    now = dt.datetime.now(dt.UTC)
    accounts = _demo_accounts(home, municipality) if demo else _first_administrator(home, municipality)
    return {
        "home": str(home.root),
        "demo": demo,
        "accounts": accounts,
        "arrivals": _arrivals(home, municipality, now, demo),
        "seconds": round(time.monotonic() - started, 2),
    }


def serve(*, home: Home, municipality: Municipality, host: str, port: int, demo: bool) -> None:
    """Serve until stopped. With ``demo`` prints the demonstration accounts.

    Raises:
        Busy: something else listens on the port.
    """
    start_django(home, municipality)
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from waitress import create_server

    from kodomo.operations.uploads import MARGIN_BYTES, UPLOAD_BYTES, keep_uploads_inside
    from kodomo.web import demo as demonstration

    if not demo:
        demonstration.close_demo(home)
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, host]
    try:
        server = create_server(
            get_wsgi_application(), host=host, port=port, threads=THREADS, ident=None,
            max_request_body_size=UPLOAD_BYTES + MARGIN_BYTES,
        )  # fmt: skip
    except OSError:
        raise Busy(
            f"ポート {port} はほかのプログラムが使っています。",
            where=f"{host}:{port}",
            then="--port で別の番号を指定してください。",
        ) from None
    # Only now: where the port is taken, another site of this home may have files on their way.
    keep_uploads_inside(home, dt.datetime.now(dt.UTC))
    _announce(home, host, port, demo)
    _answer_evenly()
    try:
        server.run()
    finally:
        server.close()


def _answer_evenly() -> None:
    """Keep one person's page from holding up another's.

    A page asks the database some twenty times, and after each answer waits for its turn to run: with Python's usual turns
    of 5 ms, beside one busy page, that is a tenth of a second of waiting. And the collector stops everybody while it walks
    through all there is (50–100 ms, every few seconds): what is loaded by now stays to the end and need not be looked at,
    and what pages leave behind is looked through less often.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  (loads every page's code, which the first visitors would wait for)
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def _announce(home: Home, host: str, port: int, demo: bool) -> None:
    lines = [f"支援業務の画面を開きました: http://{host}:{port}/  (止めるには Ctrl+C)"]
    if demo:
        from kodomo.web import demo as demonstration

        lines.append(f"デモ用の利用者(パスワードはすべて {demonstration.password(home)} )")
        lines += [f"  {a.username:<8} {a.name} … {a.role.label}" for a in demonstration.ACCOUNTS]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _arrivals(home: Home, municipality: Municipality, at: dt.datetime, demo: bool) -> dict[str, Any] | None:
    """A demonstration releases its judgement to casework by itself; anywhere else people do, each time."""
    from kodomo.operations.releases import release_now

    if not demo:
        return None
    try:
        return release_now(
            home=home, municipality=municipality, asked_by="toko", approved_by="shinobu", reason="デモの公開", at=at
        )
    except NotReady:
        return None  # a site may open before the first judgement; its lists are empty then


def _claim(home: Home, municipality: Municipality) -> None:
    """Bind the place to its municipality: a demonstration may not be opened on a real city's data by a slip."""
    claim = home.casework / "municipality"
    if claim.exists() and claim.read_text().strip() != municipality.code:
        raise NotPermitted(
            "この置き場は、ほかの自治体のものです。",
            where=str(home.root),
            then="自治体フォルダ(KODOMO_MUNICIPALITY)と置き場(KODOMO_HOME)の組を確かめてください。",
        )
    home.casework.mkdir(parents=True, exist_ok=True, mode=0o700)
    claim.write_text(municipality.code)


def _demo_accounts(home: Home, municipality: Municipality) -> list[dict[str, str]]:
    from kodomo.web import demo as demonstration
    from kodomo.web.models import Staff

    password = demonstration.open_demo(home, municipality)
    for one in demonstration.ACCOUNTS:
        account = Staff.objects.filter(username=one.username).first()
        if account is None:
            account = Staff.objects.create_account(
                one.username, name=one.name, role=one.role, office=one.office, password=password
            )
        elif not account.check_password(password):
            account.set_password(password)
        account.is_demo = account.is_active = True
        account.save()
    return [
        {"username": a.username, "name": a.name, "role": a.role.label, "password": password}
        for a in demonstration.ACCOUNTS
    ]


def _first_administrator(home: Home, municipality: Municipality) -> list[dict[str, str]]:
    from kodomo.web import demo as demonstration
    from kodomo.web.accounts import first_password
    from kodomo.web.models import Staff

    demonstration.close_demo(home)
    Staff.objects.filter(is_demo=True).update(is_active=False)
    if Staff.objects.filter(is_demo=False).exists():
        return []
    password = first_password()
    account = Staff.objects.create_account(
        "admin",
        name="システム管理者",
        role=Role.SYSTEM_ADMINISTRATOR,
        office=municipality.offices[0].code,
        password=password,
    )
    account.must_change_password = True
    account.save()
    print(f"最初の利用者 admin の仮パスワード: {password} (いちどだけ表示します)", file=sys.stderr)
    return [
        {
            "username": account.username,
            "name": account.name,
            "role": Role.SYSTEM_ADMINISTRATOR.label,
            "password": password,
        }
    ]
