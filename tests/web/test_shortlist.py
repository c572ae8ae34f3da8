from __future__ import annotations

from conftest import HANA


def test_it_opens(as_person):
    r = as_person(HANA).get("/cases/")
    print(r.content.decode()[:6000])
    assert r.status_code == 200
