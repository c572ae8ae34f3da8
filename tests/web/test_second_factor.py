from __future__ import annotations

import re
from typing import Any

import pytest
from django_otp.oath import TOTP
from standing_people import PASSWORD


def signed_in(client: Any) -> Any:
    client.post("/sign-in/", {"username": "hana", "password": PASSWORD, "next": "/cases/"})
    return client


def code_of(device: Any, drift: int = 0) -> str:
    totp = TOTP(device.secret)
    import time

    totp.time = time.time() + drift
    return f"{totp.token():06d}"


def enrolled(client: Any) -> Any:
    from kodomo.web.models import Authenticator

    signed_in(client).get("/second-factor/enrol/")
    device = Authenticator.objects.get()
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
    device.last_step = -1
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
    device.last_step = -1
    device.save()
    assert client.post("/second-factor/", {"code": code_of(device)}).status_code == 400
    assert device.throttling_failure_count > 0


def test_it_audits_a_wrong_code(client: Any, audit_rows: Any) -> None:
    enrolled(client)
    client.post("/sign-out/")
    signed_in(client).post("/second-factor/", {"code": "000000"})
    assert audit_rows()[-1]["action"] == "SECOND_FACTOR_FAILED"


def test_it_keeps_no_secret_and_no_paper_code_in_clear(client: Any, home: Any) -> None:
    import base64

    from django.db import connection

    answer, device = enrolled(client)
    papers = re.findall(r"<li>([a-z2-7]{8})</li>", answer.content.decode())
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(path.read_bytes() for path in home.casework.iterdir())
    secret = device.secret
    spellings = [secret, secret.hex().encode(), base64.b32encode(secret), base64.b64encode(secret)]
    assert not [spelt for spelt in [*spellings, *(code.encode() for code in papers)] if spelt in stored]


def test_it_opens_no_secret_with_another_key_file_or_for_another_person(client: Any, home: Any) -> None:
    from kodomo.errors import IntegrityFault
    from kodomo.web.models import Authenticator, Staff

    _, device = enrolled(client)
    Authenticator.objects.filter(pk=device.pk).update(user=Staff.objects.get(username="makoto"))
    with pytest.raises(IntegrityFault):
        _ = Authenticator.objects.get(pk=device.pk).secret
    Authenticator.objects.filter(pk=device.pk).update(user=Staff.objects.get(username="hana"))
    (home.keys / "casework.json").unlink()
    with pytest.raises(IntegrityFault):
        _ = Authenticator.objects.get(pk=device.pk).secret


def test_the_migration_seals_what_lay_in_clear(home: Any) -> None:
    """An installation of before: the devices still work, and the tables with the secrets are gone."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    from kodomo.web.models import Authenticator, PaperCodes, Staff

    migration = MigrationLoader(connection).get_migration("web", "0002_sealed_second_factor")

    key, user = "3132333435363738393031323334353637383930", Staff.objects.get(username="hana").pk
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE otp_totp_totpdevice (user_id int, name text, confirmed bool, key text, last_t int)"
        )
        cursor.execute("CREATE TABLE otp_static_staticdevice (id int, user_id int, name text, confirmed bool)")
        cursor.execute("CREATE TABLE otp_static_statictoken (device_id int, token text)")
        cursor.execute("INSERT INTO otp_totp_totpdevice VALUES (%s, '認証アプリ', 1, %s, 7)", [user, key])
        cursor.execute("INSERT INTO otp_static_staticdevice VALUES (4, %s, '紙のコード', 1)", [user])
        cursor.execute("INSERT INTO otp_static_statictoken VALUES (4, 'abcd2345'), (4, 'wxyz2345')")
    with connection.schema_editor() as editor:
        migration.operations[-1].code(apps, editor)
    device = Authenticator.objects.get(user=user)
    assert (device.secret.hex(), device.last_step, device.confirmed) == (key, 7, True)
    paper = PaperCodes.objects.get(user=user)
    assert paper.verify_token("wxyz2345") and not paper.verify_token("wxyz2345")
    assert not {"otp_totp_totpdevice", "otp_static_statictoken"} & set(connection.introspection.table_names())


def test_it_lets_one_give_up(client: Any) -> None:
    signed_in(client).post("/sign-out/")
    assert client.get("/second-factor/")["Location"].startswith("/sign-in/")
