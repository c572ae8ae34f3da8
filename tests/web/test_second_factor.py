from __future__ import annotations

import re
from typing import Any

from django_otp.oath import TOTP
from standing_people import PASSWORD


def signed_in(client: Any) -> Any:
    client.post("/sign-in/", {"username": "hana", "password": PASSWORD, "next": "/cases/"})
    return client


def code_of(device: Any, drift: int = 0) -> str:
    totp = TOTP(device.bin_key)
    import time

    totp.time = time.time() + drift
    return f"{totp.token():06d}"


def enrolled(client: Any) -> Any:
    from django_otp.plugins.otp_totp.models import TOTPDevice

    signed_in(client).get("/second-factor/enrol/")
    device = TOTPDevice.objects.get()
    return client.post("/second-factor/enrol/", {"code": code_of(device)}), device


def test_it_sends_somebody_without_a_device_to_enrol_one(client: Any) -> None:
    assert signed_in(client).get("/second-factor/")["Location"] == "/second-factor/enrol/"


def test_it_shows_the_secret_as_a_picture_without_styles_and_as_text(client: Any) -> None:
    body = signed_in(client).get("/second-factor/enrol/").content.decode()
    assert "<svg" in body and "style=" not in body
    assert re.search(r"<span>[A-Z2-7]{4}</span>", body)


def test_it_enrols_with_a_fitting_code_and_gives_paper_codes_once(client: Any, audit_rows: Any) -> None:
    answer, _ = enrolled(client)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert len(re.findall(r"<li>([a-z2-7]{8})</li>", body)) == 8
    assert audit_rows()[-1]["action"] == "ENROL_SECOND_FACTOR"
    assert client.get("/cases/").status_code == 200
    assert client.get("/second-factor/enrol/").status_code == 302


def test_it_does_not_enrol_with_a_wrong_code(client: Any) -> None:
    signed_in(client).get("/second-factor/enrol/")
    assert client.post("/second-factor/enrol/", {"code": "000000"}).status_code == 400
    assert client.get("/cases/")["Location"] == "/second-factor/"


def test_it_accepts_a_code_also_in_full_width_and_goes_where_one_wanted(client: Any) -> None:
    _, device = enrolled(client)
    client.post("/sign-out/")
    device.refresh_from_db()
    device.last_t = -1
    device.save()
    full_width = code_of(device).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    answer = signed_in(client).post("/second-factor/", {"code": full_width})
    assert answer["Location"] == "/cases/"


def test_it_accepts_a_code_only_once(client: Any) -> None:
    _, device = enrolled(client)
    client.post("/sign-out/")
    # The code of the enrolment has been seen by whoever stood behind the screen.
    assert signed_in(client).post("/second-factor/", {"code": code_of(device)}).status_code == 400


def test_it_accepts_a_paper_code_once(client: Any) -> None:
    answer, _ = enrolled(client)
    paper = re.findall(r"<li>([a-z2-7]{8})</li>", answer.content.decode())[0]
    for expected in (302, 400):
        client.post("/sign-out/")
        assert signed_in(client).post("/second-factor/", {"code": paper}).status_code == expected


def test_it_slows_down_guessing(client: Any) -> None:
    _, device = enrolled(client)
    client.post("/sign-out/")
    signed_in(client)
    for guess in range(4):
        client.post("/second-factor/", {"code": f"{guess:06d}"})
    device.refresh_from_db()
    device.last_t = -1
    device.save()
    assert client.post("/second-factor/", {"code": code_of(device)}).status_code == 400
    assert device.throttling_failure_count > 0


def test_it_audits_a_wrong_code(client: Any, audit_rows: Any) -> None:
    enrolled(client)
    client.post("/sign-out/")
    signed_in(client).post("/second-factor/", {"code": "000000"})
    assert audit_rows()[-1]["action"] == "SECOND_FACTOR_FAILED"


def test_it_lets_one_give_up(client: Any) -> None:
    signed_in(client).post("/sign-out/")
    assert client.get("/second-factor/")["Location"].startswith("/sign-in/")
