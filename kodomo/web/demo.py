"""The demonstration: accounts that skip the second factor, only while ``kodomo demo`` has opened the site (casework side).

Whether a site is a demonstration is not a setting. It is a marker in the casework folder, signed
with the casework key, written by ``prepare(demo=True)`` and taken away by every other start.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from kodomo.assessment.keys import keys
from kodomo.configuration import Home, Municipality
from kodomo.errors import NotPermitted
from kodomo.governance.permissions import Role

SYNTHETIC_CODE = "999997"
"""The municipality code of ひなた市, which no real municipality has."""


@dataclass(frozen=True)
class DemoAccount:
    """One demonstration account."""

    username: str
    name: str
    role: Role
    office: str


ACCOUNTS = (
    DemoAccount("toko", "大野 統子", Role.COORDINATOR, "school_education"),
    DemoAccount("mamoru", "加藤 守", Role.HOLDER, "welfare"),
    DemoAccount("rin", "江藤 凛", Role.ANALYST, "university"),
    DemoAccount("hana", "青木 花", Role.PRACTITIONER, "family_centre"),
    DemoAccount("makoto", "井上 誠", Role.PRACTITIONER, "family_centre"),
    DemoAccount("ren", "上田 蓮", Role.PRACTITIONER, "childcare"),
    DemoAccount("kei", "木村 慧", Role.COMMITTEE_MEMBER, "npo"),
    DemoAccount("nao", "清水 直", Role.COMMITTEE_MEMBER, "university"),
    DemoAccount("yuzu", "瀬戸 柚", Role.COMMITTEE_MEMBER, "lifelong_learning"),
    DemoAccount("shinobu", "工藤 忍", Role.APPROVER, "family_centre"),
    DemoAccount("tamaki", "高木 環", Role.LINK_REVIEWER, "citizens"),
    DemoAccount("akari", "小池 明", Role.PRIVACY_OFFICER, "citizens"),
    DemoAccount("osamu", "佐藤 理", Role.SYSTEM_ADMINISTRATOR, "citizens"),
)
"""One for each role; three practitioners, so that one's own and another office's cases can be tried, and three
members, so that a committee has a quorum."""


def marker_file(home: Home) -> Path:
    """Where the marker lies."""
    return home.casework / "demo.json"


def open_demo(home: Home, municipality: Municipality) -> str:
    """Write the marker; returns the password of all demonstration accounts.

    Raises:
        NotPermitted: the municipality is not the synthetic one. Accounts whose password is
            printed have no place beside real children's data.
    """
    if municipality.code != SYNTHETIC_CODE:
        raise NotPermitted(
            "デモ用の利用者は、架空の市でだけ使えます。",
            where=f"団体コード {municipality.code}",
            then="実在の自治体では kodomo serve を使ってください。",
        )
    body = {"municipality": municipality.code, "home": str(home.root)}
    home.casework.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = marker_file(home).with_suffix(".partial")
    aside.write_text(json.dumps({**body, "mac": _mac(home, body)}))
    aside.replace(marker_file(home))
    return password(home)


def close_demo(home: Home) -> None:
    """Take the marker away: from now on every account needs its second factor."""
    marker_file(home).unlink(missing_ok=True)


def is_open(home: Home) -> bool:
    """Whether a marker is there that this installation's demo wrote, for this place and the synthetic city.

    A site that runs for a real municipality is never open, whatever lies in its folder.
    """
    if settings.MUNICIPALITY.code != SYNTHETIC_CODE:
        return False
    try:
        body = json.loads(marker_file(home).read_text())
        mac = str(body.pop("mac"))
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    return body.get("home") == str(home.root) and hmac.compare_digest(mac, _mac(home, body))


def password(home: Home) -> str:
    """The demonstration's password: the same on every start of one installation, different elsewhere."""
    digest = hmac.new(keys(home)["demo"], b"password", hashlib.sha256).digest()
    word = base64.b32encode(digest).decode().lower()[:12]
    return "-".join((word[:4], word[4:8], word[8:]))


def _mac(home: Home, body: dict[str, str]) -> str:
    return hmac.new(keys(home)["demo"], json.dumps(body, sort_keys=True).encode(), hashlib.sha256).hexdigest()
