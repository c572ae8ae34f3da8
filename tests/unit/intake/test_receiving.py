"""Each file lands whole or not at all, once, with its receipt, its audit row and its report."""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import os
import resource
import signal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from test_layout_forms import workbook
from town import ABSENCE_LAYOUT, AT, BASES, absences_csv, residents_csv

from kodomo.cli import main
from kodomo.configuration import Home, read_municipality
from kodomo.errors import Busy, ConfigurationFault, StaffError, WrongUsage
from kodomo.governance import audit
from kodomo.intake.delivery import clear_leftovers, locked
from kodomo.intake.extraction_slip import read_slip
from kodomo.intake.incoming import has_leftovers
from kodomo.intake.overview import delivery_overview
from kodomo.intake.receive import receive
from kodomo.vault.database import anchor_file, open_vault
from kodomo.vault.records import landed_facts, landed_mentions, receipts

RESIDENTS, ABSENCES = "住民_20260401.csv", "出欠_20260401.csv"


def put(inbox: Path, name: str, content: bytes) -> Path:
    path = inbox / name
    path.write_bytes(content)
    return path


def chain(home: Home) -> list[tuple[str, str]]:
    from django.db import connections

    keyring = open_vault(home)
    with connections["vault"].cursor() as cursor:
        verdict = audit.verify(cursor, keyring.audit, anchor_file(home))
        assert verdict.first_bad is None, verdict
        cursor.execute("SELECT action, actor FROM audit_events ORDER BY sequence")
        return [(str(action), str(actor)) for action, actor in cursor.fetchall()]


def numbers(home: Home) -> list[tuple[str, float]]:
    """Absence days as they stand: (month, days)."""
    facts = landed_facts(home, open_vault(home), {"absences"}).to_pylist()
    standing = [f for f in facts if f["item"] == "absence_days" and f["known_to"] is None]
    return sorted((str(f["valid_from"])[:7], f["number"]) for f in standing)


# What comes out ---------------------------------------------------------------------------------


def test_an_offices_file_of_anothers_source_is_refused(deliver, inbox, home):
    put(inbox, RESIDENTS, residents_csv("1,山田花子,R5.4.1,町,"))
    put(inbox, ABSENCES, absences_csv("1,2026-04,2"))
    told = {d["file"]: d for d in deliver(inbox, sources=["absences"])["deliveries"]}
    assert told[RESIDENTS]["code"] == "others_source" and told[ABSENCES].get("code") != "others_source"


def test_delivery_lands_with_receipt_audit_row_and_report(deliver_apart, inbox, home):
    put(inbox, RESIDENTS, residents_csv("1,山田花子,R5.4.1,町,", "2,佐藤,R5.2.30,町,"))
    result = deliver_apart(inbox)
    assert {k: result[k] for k in ("files", "landed", "refused", "rows_read", "rows_landed", "rows_quarantined", "exit_code")} == {
        "files": 1, "landed": 1, "refused": 0, "rows_read": 2, "rows_landed": 1, "rows_quarantined": 1, "exit_code": 0,
    }  # fmt: skip
    (told,) = result["deliveries"]
    assert (told["state"], told["source"], told["receipt"], told["extracted_on"]) == (
        "landed",
        "residents",
        1,
        "2026-04-01",
    )
    (quarantined,) = told["quarantined"]
    assert (quarantined["row"], quarantined["column"], quarantined["code"]) == (2, "生年月日", "R-04")
    assert (quarantined["sheet"], quarantined["sheet_row"]) == ("", 4)
    assert quarantined["advice"] and json.dumps(result)
    assert chain(home) == [("intake.receive", "tester")]
    written = json.loads(Path(told["report"]).read_text(encoding="utf-8"))
    assert written["sha256"] == told["sha256"] and written["rows_landed"] == 1
    page = Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")
    assert "生年月日" in page and "R-04" in page and "<script" not in page
    assert not list((home.handover / "incoming").iterdir())


def test_no_cell_leaves_the_sealed_files(deliver, inbox, home):
    put(
        inbox,
        RESIDENTS,
        residents_csv("0099887,翡翠川花子,R5.4.1,鳥籠町一丁目,", "0099888,翡翠川太郎,R5.2.30,鳥籠町二丁目,"),
    )
    result = deliver(inbox)
    everything = (
        b"".join(p.read_bytes() for p in home.root.rglob("*") if p.is_file())
        + json.dumps(result, ensure_ascii=False).encode()
    )
    for secret in ("翡翠川", "鳥籠町", "0099887", "0099888", "R5.2.30"):
        assert secret.encode() not in everything and secret.encode("utf-16-le") not in everything
    assert landed_mentions(home, open_vault(home))["name"].to_pylist() == ["翡翠川花子"]


def test_hostile_names_are_harmless_in_the_page(deliver, inbox):
    put(
        inbox,
        "住民_<img src=x onerror=alert(1)>.csv",
        residents_csv("1,山田,R5.4.1,町,,x", header="宛名番号,氏名,生年月日,住所,電話,<script>"),
    )
    (told,) = deliver(inbox)["deliveries"]
    page = Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")
    assert "<img" not in page and "<script" not in page and "&lt;script&gt;" in page


def test_refused_file_does_not_stop_the_others(deliver, inbox, home):
    put(inbox, ABSENCES, absences_csv(header="学籍番号,氏名,年月,欠席"))
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    put(inbox, "謎.csv", b"x")
    result = deliver(inbox)
    assert (result["landed"], result["refused"], result["exit_code"]) == (1, 2, 4)
    refused = {d["file"]: d for d in result["deliveries"] if d["state"] == "refused"}
    assert refused[ABSENCES]["code"] == "missing_column" and "遅刻" in refused[ABSENCES]["where"]
    assert refused["謎.csv"]["code"] == "no_layout"
    assert Path(refused[ABSENCES]["report"]).exists()
    assert sorted(chain(home)) == [
        ("intake.receive", "tester"),
        ("intake.refuse", "tester"),
        ("intake.refuse", "tester"),
    ]


def test_unknown_item_in_a_layout_stops_everything_before_it_begins(deliver, inbox, town, home):
    (town / "sources" / "absences.toml").write_text(
        ABSENCE_LAYOUT.replace('"late_days"', '"lateness"'), encoding="utf-8"
    )
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    with pytest.raises(ConfigurationFault, match="lateness"):
        deliver(inbox)
    assert not home.vault.exists()


# Again and again --------------------------------------------------------------------------------


def test_same_file_twice_is_refused_without_an_error(deliver, inbox, home):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0"))
    deliver(inbox)
    result = deliver(inbox)
    assert (result["landed"], result["refused"], result["already_landed"], result["exit_code"]) == (0, 1, 1, 0)
    (inbox / ABSENCES).rename(inbox / "出欠_別名_20260401.csv")
    assert deliver(inbox)["already_landed"] == 1
    (inbox / "出欠_別名_20260401.csv").rename(inbox / "出欠_日付なし.csv")
    result = deliver(inbox)
    assert (result["already_landed"], result["landed"]) == (1, 0)
    assert "抽出日" in result["deliveries"][0]["then"] and ABSENCES in result["deliveries"][0]["where"]
    assert numbers(home) == [("2026-03", 3.0)]


def test_same_content_of_another_day_is_a_delivery_in_which_nothing_changed(deliver, inbox, home):
    put(inbox, "出欠_20260401.csv", absences_csv("A1,山田,2026-03,3,0"))
    deliver(inbox)
    (inbox / "出欠_20260401.csv").rename(inbox / "出欠_20260501.csv")
    result = deliver(inbox)
    assert (result["landed"], result["refused"], result["rows_duplicate"], result["exit_code"]) == (1, 0, 1, 0)
    told = result["deliveries"][0]
    assert "一字も違いません" in told["unchanged"] and "出欠_20260401.csv" in told["unchanged"]
    assert "一字も違いません" in Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")
    assert numbers(home) == [("2026-03", 3.0)]
    dates = [receipt.extracted_on for receipt in receipts()]
    assert dates == [dt.date(2026, 4, 1), dt.date(2026, 5, 1)]
    assert deliver(inbox)["already_landed"] == 1
    # What comes after is compared with the later of the two, and corrects as if it had come but once.
    put(inbox, "出欠_20260601.csv", absences_csv("A1,山田,2026-03,4,0"))
    assert deliver(inbox)["rows_corrected"] == 1
    assert numbers(home) == [("2026-03", 4.0)]


def test_deliverer_may_tell_the_day_of_extraction_that_no_file_tells(deliver, inbox, home):
    put(inbox, "出欠_全校.csv", absences_csv("A1,山田,2026-03,3,0"))
    put(inbox, "出欠_20260501.csv", absences_csv("A1,山田,2026-04,1,0"))
    deliver(inbox, extracted_on=dt.date(2026, 4, 3))
    dates = {receipt.file_name: receipt.extracted_on for receipt in receipts()}
    assert dates == {"出欠_全校.csv": dt.date(2026, 4, 3), "出欠_20260501.csv": dt.date(2026, 5, 1)}
    assert deliver(inbox, extracted_on=dt.date(2026, 4, 3))["already_landed"] == 2


def test_a_slip_tells_the_day_of_each_file_of_a_folder(deliver, inbox, home, tmp_path):
    put(inbox, "出欠_前期.csv", absences_csv("A1,山田,2026-03,3,0"))
    put(inbox, "出欠_後期.csv", absences_csv("A2,山田,2026-04,1,0"))
    put(inbox, "出欠_20260501.csv", absences_csv("A3,山田,2026-04,1,0"))
    slip = put(
        tmp_path,
        "受渡票.csv",
        "ファイル名,抽出日\r\n出欠_前期.csv,令和8年4月3日\r\n,\r\n出欠_*.csv,2026/10/1\r\n".encode("cp932"),
    )
    deliver(inbox, extracted_on=read_slip(str(slip)))
    dates = {receipt.file_name: receipt.extracted_on for receipt in receipts()}
    assert dates == {"出欠_前期.csv": dt.date(2026, 4, 3), "出欠_後期.csv": dt.date(2026, 10, 1), "出欠_20260501.csv": dt.date(2026, 5, 1)}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("名前,日\r\n出欠.csv,2026-04-01\r\n", "見出し"),
        ("ファイル名,抽出日\r\n出欠.csv,2026-04-01\r\n,2026-04-01\r\n住民.csv,四月\r\n", "3、4 行目"),
    ],
)
def test_a_slip_that_cannot_be_read_is_refused_with_its_rows(tmp_path, body, told):
    slip = put(tmp_path, "受渡票.csv", body.encode())
    with pytest.raises(WrongUsage, match=told):
        read_slip(str(slip))
    assert read_slip("2026-04-01").day("何でも.csv") == dt.date(2026, 4, 1)


def test_same_content_of_two_days_in_one_delivery_lands_twice_and_counts_once(deliver, inbox, home):
    for name in ("出欠_20260401.csv", "出欠_20260501.csv"):
        put(inbox, name, absences_csv("A1,山田,2026-03,3,0"))
    result = deliver(inbox)
    assert (result["landed"], result["already_landed"]) == (2, 0)
    assert numbers(home) == [("2026-03", 3.0)]


def test_same_content_twice_in_one_delivery_lands_once(deliver, inbox):
    for name in ("出欠_1_20260401.csv", "出欠_2_20260401.csv"):
        put(inbox, name, absences_csv("A1,山田,2026-03,3,0"))
    result = deliver(inbox)
    assert (result["landed"], result["already_landed"], result["exit_code"]) == (1, 1, 0)


def test_workbook_of_two_lists_is_read_by_a_layout_for_each_of_its_sheets(deliver, inbox, home, town, tmp_path):
    head = ["学籍番号", "氏名", "年月", "欠席", "遅刻"]
    sheets = {"小学校": [head, ["1", "山田花子", "2026-03", 2, 0]], "中学校": [head, ["7", "森太郎", "2026-03", 5, 1]]}
    for source, sheet in (("absences", "小学校"), ("absences_junior", "中学校")):
        layout = ABSENCE_LAYOUT.replace('source = "absences"', f'source = "{source}"').replace('"csv"', '"xlsx"')
        layout = layout.replace("出欠_*.csv", "出欠_*.xlsx").replace('encoding = "cp932"', f'sheet = "{sheet}"')
        (town / "sources" / f"{source}.toml").write_text(layout, encoding="utf-8")
    put(inbox, "出欠_20260401.xlsx", workbook(tmp_path / "w.xlsx", sheets).read_bytes())
    told = deliver(inbox)
    assert [(d["source"], d["rows_landed"]) for d in told["deliveries"]] == [("absences", 1), ("absences_junior", 1)]
    again = deliver(inbox)
    assert again["already_landed"] == 2 and not again["landed"]
    assert landed_mentions(home, open_vault(home))["name"].to_pylist() == ["山田花子", "森太郎"]


def test_row_twice_in_one_file_says_its_fact_once(deliver, inbox, home):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0", "A1,山田,2026-03,3,0"))
    assert deliver(inbox)["rows_duplicate"] == 1
    assert numbers(home) == [("2026-03", 3.0)]
    assert landed_mentions(home, open_vault(home))["is_duplicate"].to_pylist() == [False, True]


def test_next_months_delivery_repeats_corrects_and_adds(deliver, inbox, home):
    put(inbox, "出欠_20260401.csv", absences_csv("A1,山田,2026-02,1,0", "A1,山田,2026-03,3,0"))
    deliver(inbox)
    put(
        inbox, "出欠_20260501.csv", absences_csv("A1,山田,令和8年2月,1,0", "A1,山田,2026-03,5,0", "A1,山田,2026-04,0,0")
    )
    result = deliver(inbox)
    assert (result["rows_duplicate"], result["rows_corrected"]) == (1, 1)
    assert numbers(home) == [("2026-02", 1.0), ("2026-03", 5.0), ("2026-04", 0.0)]
    found = landed_mentions(home, open_vault(home))
    flags = list(
        zip(
            found["receipt"].to_pylist(),
            found["row"].to_pylist(),
            found["is_duplicate"].to_pylist(),
            found["is_superseded"].to_pylist(),
            strict=True,
        )
    )
    assert flags == [
        (1, 1, False, False),
        (1, 2, False, True),
        (2, 1, True, False),
        (2, 2, False, False),
        (2, 3, False, False),
    ]


@pytest.mark.parametrize("order", [("04", "05", "06"), ("04", "06", "05"), ("06", "05", "04")])
def test_months_count_what_repeats_and_corrects_in_whatever_order_they_come(deliver, inbox, home, order):
    feb, march, april = (f"A1,山田,2026-{month},3,0" for month in ("02", "03", "04"))
    corrected = march.replace(",3,", ",5,")
    rows = {"04": [feb, march], "05": [feb, corrected, april, april], "06": [feb, march, april]}
    told = []
    for month in order:
        one = deliver(put(inbox, f"出欠_2026{month}01.csv", absences_csv(*rows[month])))
        told.append((one["rows_duplicate"], one["rows_corrected"]))
    assert (
        told
        == {
            ("04", "05", "06"): [(0, 0), (2, 1), (2, 1)],
            # Between two months that agree, one that doesn't: what repeated until then says something again.
            ("04", "06", "05"): [(0, 0), (2, 0), (2, 2)],
            ("06", "05", "04"): [(0, 0), (1, 1), (0, 1)],
        }[order]
    )


def test_old_extract_that_arrives_late_corrects_nothing(deliver, inbox, home):
    put(inbox, "出欠_20260501.csv", absences_csv("A1,山田,2026-03,5,0"))
    deliver(inbox)
    put(inbox, "出欠_20260401.csv", absences_csv("A1,山田,2026-03,3,0"))
    deliver(inbox)
    assert numbers(home) == [("2026-03", 5.0)]


def test_value_that_changes_and_changes_back_stands_again(deliver, inbox, home):
    for month, days in (("04", 3), ("05", 5), ("06", 3)):
        path = put(
            inbox, f"出欠_2026{month}01.csv", absences_csv(f"A1,山田,2026-03,{days},0", f"A1,山田,2026-{month},0,0")
        )
        deliver(path)
    assert numbers(home)[0] == ("2026-03", 3.0) and len(numbers(home)) == 4


def test_mended_rows_delivered_again_double_nothing(deliver, inbox, home):
    put(inbox, "出欠_20260401.csv", absences_csv("A1,山田,2026-03,3,0", "A2,佐藤,だめ,1,0"))
    assert deliver(inbox)["rows_quarantined"] == 1
    put(inbox, "出欠_20260401_再.csv", absences_csv("A1,山田,2026-03,3,0", "A2,佐藤,2026-03,1,0"))
    assert deliver(inbox / "出欠_20260401_再.csv")["rows_quarantined"] == 0
    assert numbers(home) == [("2026-03", 1.0), ("2026-03", 3.0)]


# The register -----------------------------------------------------------------------------------


def lapse(town: Path, item: str) -> None:
    """End the basis of one item before the day of receiving; the others keep theirs."""
    bases = BASES.replace(f'"{item}"', "").replace("[, ", "[").replace(", ,", ",").replace(", ]", "]")
    lapsed = f"""
[[bases]]
code = "B-9"
basis = "WITHIN_PURPOSE"
items = ["{item}"]
purposes = ["LINK", "JUDGE"]
nature = "臨時"
valid_from = 2025-04-01
valid_to = 2026-04-02
"""
    (town / "register" / "bases.toml").write_text(bases + lapsed, encoding="utf-8")


def test_item_whose_basis_lapsed_is_not_taken_in(deliver, inbox, home, town):
    lapse(town, "late_days")
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,7"))
    result = deliver(inbox, at=AT - dt.timedelta(days=1))
    assert result["deliveries"][0]["refused_items"] == []
    assert len(landed_facts(home, open_vault(home))) == 2
    put(inbox, "出欠_20260402.csv", absences_csv("A1,山田,2026-02,4,8"))
    (told,) = deliver(inbox / "出欠_20260402.csv")["deliveries"]
    (refused,) = told["refused_items"]
    assert (refused["item"], refused["columns"]) == ("late_days", ["遅刻"]) and "2026-04-02 で切れて" in refused["why"]
    assert "遅刻" in Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")
    later = landed_facts(home, open_vault(home)).to_pylist()
    assert [(f["item"], f["number"]) for f in later if f["receipt"] == 2] == [("absence_days", 4.0)]


def test_identifying_column_without_a_basis_is_left_out(deliver, inbox, home, town):
    lapse(town, "address")
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,鳥籠町,"))
    (told,) = deliver(inbox)["deliveries"]
    assert told["state"] == "landed" and told["refused_items"][0]["item"] == "address"
    assert landed_mentions(home, open_vault(home))["address"].to_pylist() == [None]


@pytest.mark.parametrize(("item", "name", "content"), [
    ("number", RESIDENTS, residents_csv("1,山田,R5.4.1,町,")), ("pupil_number", ABSENCES, absences_csv("A1,山田,2026-03,3,7")),
])  # fmt: skip
def test_file_whose_identity_has_no_basis_is_refused(deliver, inbox, town, item, name, content):
    lapse(town, item)
    put(inbox, name, content)
    (told,) = deliver(inbox)["deliveries"]
    assert (told["state"], told["code"]) == ("refused", "no_basis") and told["refused_items"][0]["item"] == item


def test_file_none_of_whose_facts_has_a_basis_is_refused(deliver, inbox, town):
    bases = BASES.replace('"absence_days", "late_days", ', "")
    (town / "register" / "bases.toml").write_text(bases, encoding="utf-8")
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,7"))
    assert deliver(inbox)["deliveries"][0]["code"] == "no_basis"


def test_linking_basis_alone_lets_no_fact_in(deliver, inbox, home, town):
    bases = BASES.replace('"absence_days", "late_days", ', '"absence_days", ').replace(
        '"pupil_number"]', '"pupil_number", "late_days"]'
    )
    (town / "register" / "bases.toml").write_text(bases, encoding="utf-8")
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,7"))
    (told,) = deliver(inbox)["deliveries"]
    assert [r["item"] for r in told["refused_items"]] == ["late_days"]
    assert [f["item"] for f in landed_facts(home, open_vault(home)).to_pylist()] == ["absence_days"]


# Killed, full, busy -----------------------------------------------------------------------------


def in_another_process(home: Home, inbox: Path, town: Path, harm: Callable[[], object]) -> tuple[int, str]:
    """Receive in a forked process after ``harm`` was done there; its exit status and the error it met."""
    open_vault(home)
    from django.db import connections

    connections["vault"].close()  # SQLite may not be carried into another process
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        status = 0
        try:
            harm()
            receive([inbox], home=home, municipality=read_municipality(town), by="tester", at=AT)
        except BaseException as fault:
            os.write(tells, f"{type(fault).__name__}: {fault}".encode())
            status = 1
        os._exit(status)
    os.close(tells)
    with open(told, "rb") as pipe:  # noqa: PTH123
        words = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words


def kill_at(place: str, when: str, count: int = 1) -> Callable[[], None]:
    """A harm: the process kills itself (kill -9) before or after the count-th call of a function."""

    def harm() -> None:
        import kodomo.intake.landing
        import kodomo.vault.models  # noqa: F401

        module, name = place.rsplit(".", 1)
        owner = sys.modules.get(module) or getattr(sys.modules[module.rsplit(".", 1)[0]], module.rsplit(".", 1)[1])
        real, calls = getattr(owner, name), []

        def wrapped(*words: Any, **more: Any) -> Any:
            calls.append(1)
            if when == "before" and len(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*words, **more)
            if when == "after" and len(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, wrapped)

    return harm


MOMENTS = {
    "copied": kill_at("kodomo.intake.receive.take_in", "after"),
    "second copied": kill_at("kodomo.intake.receive.take_in", "after", 2),
    "read": kill_at("kodomo.intake.landing.land", "before"),
    "first part sealed": kill_at("kodomo.vault.records._write_sealed", "after"),
    "all parts sealed": kill_at("kodomo.vault.records._flush_folder", "after", 1),
    "folder renamed": kill_at("kodomo.vault.records._flush_folder", "after", 2),
    "before transaction": kill_at("kodomo.intake.landing.audited", "before"),
    "receipt written": kill_at("kodomo.vault.models.Receipt.save", "after"),
    "audit row written": kill_at("kodomo.governance.audit.append", "after"),
    "committed, no anchor": kill_at("kodomo.governance.audit.write_anchor", "before"),
    "committed": kill_at("kodomo.governance.audit.write_anchor", "after"),
    "report half written": kill_at("kodomo.intake.report._replace", "after"),
    "report written": kill_at("kodomo.intake.report._replace", "after", 2),
    "second file sealed": kill_at("kodomo.vault.records._flush_folder", "after", 4),
    "second file committed": kill_at("kodomo.governance.audit.write_anchor", "before", 2),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_a_second_run_leaves_everything_landed_once(deliver, inbox, home, town, moment):
    put(inbox, "出欠_1_20260401.csv", absences_csv("A1,山田,2026-03,3,0", "A2,佐藤,だめ,1,0"))
    put(inbox, "出欠_2_20260401.csv", absences_csv("A3,鈴木,2026-02,2,0"))
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    status, words = in_another_process(home, inbox, town, MOMENTS[moment])
    assert status == -signal.SIGKILL, words
    open_vault(home)
    for receipt in receipts():  # whatever has a receipt is whole already
        assert (home.vault / "landed" / receipt.sealed_file / "facts.sealed").exists()
    before = len(receipts())
    landed_facts(home, open_vault(home))
    result = deliver(inbox)
    assert (
        result["landed"] + result["already_landed"] == 3
        and result["already_landed"] == before
        and result["exit_code"] == 0
    )
    assert numbers(home) == [("2026-02", 2.0), ("2026-03", 3.0)]
    assert landed_mentions(home, open_vault(home)).num_rows == 3
    assert len(list((home.vault / "landed").iterdir())) == 3
    assert (
        len(list((home.handover / "reports").glob("0*.json"))) == 3
        and len(list((home.handover / "reports").glob("0*.html"))) == 3
    )
    assert not list((home.handover / "incoming").iterdir())
    assert [action for action, _ in chain(home)].count("intake.receive") == 3


def test_two_runs_at_once_are_refused(deliver, inbox, home):
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    with locked(home.handover), pytest.raises(Busy):
        deliver(inbox)
    assert deliver(inbox)["landed"] == 1


def test_full_disk_is_told_in_words_and_lands_nothing(inbox, home, town, deliver):
    put(inbox, RESIDENTS, residents_csv(*(f"{n},山田{n},R5.4.1,町{n}," for n in range(20_000))))
    status, words = in_another_process(
        home, inbox, town, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    )
    assert status == 1 and words.startswith("StaffError: 保存先に書き込めません")
    assert receipts() == []
    assert deliver(inbox)["rows_landed"] == 20_000


def test_database_that_cannot_grow_is_told_in_words(inbox, home, deliver, monkeypatch):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0"))

    def full(*words: object) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "append", full)
        with pytest.raises(StaffError, match="保管庫のデータベースに書き込めません"):
            deliver(inbox)
    assert receipts() == [] and chain(home) == []
    assert deliver(inbox)["landed"] == 1


def test_handover_area_that_is_no_folder_is_told_in_words(deliver, inbox, home):
    home.root.mkdir()
    home.handover.write_bytes(b"")
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    with pytest.raises(StaffError, match="書き込めません"):
        deliver(inbox)


def obey_permissions() -> None:
    """A harm: take from this process root's power to write anywhere (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)."""
    libc = ctypes.CDLL(None, use_errno=True)
    head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, sets) == 0
    for at in (0, 1, 2):  # effective, permitted and inheritable capabilities 0 to 31
        sets[at] &= ~(1 << 1 | 1 << 2)
    assert libc.capset(head, sets) == 0


@pytest.mark.parametrize("folder", ["", "landed"])
def test_read_only_vault_is_told_in_words(deliver, inbox, home, town, folder):
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    open_vault(home)
    (home.vault / "landed").mkdir()
    locked_folder = home.vault / folder
    locked_folder.chmod(0o500)
    try:
        status, words = in_another_process(home, inbox, town, obey_permissions)
    finally:
        locked_folder.chmod(0o700)
    assert status == 1 and words.startswith("StaffError: ") and "書き込めません" in words and "vault" in words
    assert receipts() == [] and deliver(inbox)["landed"] == 1


# What lies in the handover area -------------------------------------------------------------------


def lying_raw(home: Home, secret: bytes) -> list[Path]:
    files = [p for p in home.root.rglob("*") if p.is_file()]
    return [p for p in files if secret in p.read_bytes()]


@pytest.mark.parametrize("moment", ["copied", "second copied", "read", "folder renamed", "committed, no anchor"])
def test_killed_at_any_moment_no_raw_copy_is_left(inbox, home, town, moment):
    put(inbox, "出欠_1_20260401.csv", absences_csv("A1,翡翠川,2026-03,3,0"))
    with zipfile.ZipFile(inbox / "出欠_2.zip", "w") as archive:
        archive.writestr("出欠_2_20260401.csv", absences_csv("A3,翡翠川,2026-02,2,0"))
    status, words = in_another_process(home, inbox, town, MOMENTS[moment])
    assert status == -signal.SIGKILL, words
    assert not list((home.handover / "incoming").iterdir())
    assert lying_raw(home, "翡翠川".encode("cp932")) == []


def test_copy_left_where_copies_have_names_is_shredded_by_the_next_command(inbox, home, town, monkeypatch):
    monkeypatch.setattr("kodomo.intake.incoming._without_name", lambda folder: None)
    put(inbox, ABSENCES, absences_csv("A1,翡翠川,2026-03,3,0"))
    status, _ = in_another_process(home, inbox, town, MOMENTS["read"])
    left = list((home.handover / "incoming").iterdir())
    assert status == -signal.SIGKILL and len(left) == 1 and left[0].stat().st_mode & 0o077 == 0
    with left[0].open("rb") as still_open:
        assert main(["--home", str(home.root), "--municipality", str(town), "status"]) == 0
        assert set(still_open.read()) == {0}
    assert lying_raw(home, "翡翠川".encode("cp932")) == []


def test_command_beside_a_running_receipt_leaves_its_copies(home, monkeypatch):
    (home.handover / "incoming").mkdir(parents=True)
    (home.handover / "incoming" / "0.in").write_bytes(b"x")
    with locked(home.handover):
        assert clear_leftovers(home) == 0
    assert clear_leftovers(home) == 1 and not has_leftovers(home.handover / "incoming")


def test_copies_with_and_without_a_name_read_alike(deliver_apart, inbox, home, tmp_path, town, monkeypatch):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0"))
    assert deliver_apart(inbox)["rows_landed"] == 1
    monkeypatch.setattr("kodomo.intake.incoming._without_name", lambda folder: None)
    other = Home(tmp_path / "other")
    assert receive([inbox], home=other, municipality=read_municipality(town), by="t", at=AT)["rows_landed"] == 1
    assert not list((other.handover / "incoming").iterdir())


# Status and desk --------------------------------------------------------------------------------


def test_status_tells_every_source_its_freshness(deliver, inbox, home, town):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0", "A2,佐藤,だめ,1,0"))
    deliver(inbox)
    municipality = read_municipality(town)
    told = delivery_overview(home=home, municipality=municipality, by="op", at=AT)
    assert [(d["source"], d["rows_landed"], d["rows_quarantined"]) for d in told["deliveries"]] == [("absences", 1, 1)]
    fresh = {entry["source"]: entry for entry in told["freshness"]}
    assert set(fresh) == {"residents", "absences", "allowances"}
    assert fresh["absences"]["is_fresh"] and fresh["absences"]["age_days"] == 1
    assert fresh["residents"]["extracted_on"] is None and not fresh["residents"]["is_fresh"]
    stale = delivery_overview(home=home, municipality=municipality, by="op", at=AT + dt.timedelta(days=60))
    assert not any(entry["is_fresh"] for entry in stale["freshness"])
    assert ("desk.receipts", "op") in chain(home) and ("desk.freshness", "op") in chain(home)


def test_outcome_of_each_file_is_said_at_the_terminal(deliver, inbox, capsys):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0", "A2,翡翠川,だめ,1,0"))
    put(inbox, "謎.csv", b"x")
    deliver(inbox)
    said = capsys.readouterr()
    assert "出欠_20260401.csv: 1 行を取り込み、1 行を差し戻しました" in said.err and "000001.html" in said.err
    assert "謎.csv: 受け取れません" in said.err and "レイアウトがありません" in said.err
    assert said.out == "" and "翡翠川" not in said.err


def test_desk_shows_an_office_its_own_sources_only(deliver, inbox, home):
    put(inbox, ABSENCES, absences_csv("A1,山田,2026-03,3,0", "A2,佐藤,だめ,1,0"))
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    put(inbox, "出欠_2.csv", b"%PDF")
    deliver(inbox)
    keyring = open_vault(home)
    from kodomo.vault.desk import Desk

    school = Desk(home, keyring, "花", "HOLDER", AT, sources={"absences"})
    citizens = Desk(home, keyring, "誠", "HOLDER", AT, sources={"residents"})
    assert [r["source"] for r in school.receipts()] == ["absences"]
    receipt = school.receipts()[0]["receipt"]
    assert school.quarantine(receipt) == [{"sheet": "", "row": 3, "column": "年月", "code": "R-05"}]
    assert citizens.quarantine(receipt) == []
    assert [r["code"] for r in school.refusals()] == ["wrong_kind"] and citizens.refusals() == []
    assert [f["source"] for f in citizens.freshness({"residents": 45, "absences": 45})] == ["residents"]
    assert [actor for action, actor in chain(home) if action == "desk.quarantine"] == ["花", "誠"]


def test_look_that_cannot_be_audited_shows_nothing(deliver, inbox, home, monkeypatch):
    put(inbox, RESIDENTS, residents_csv("1,山田,R5.4.1,町,"))
    deliver(inbox)
    keyring = open_vault(home)
    from kodomo.vault.desk import Desk

    def broken(*words: object) -> None:
        raise OSError

    monkeypatch.setattr(audit, "append", broken)
    with pytest.raises(OSError):
        Desk(home, keyring, "花", "HOLDER", AT).receipts()


# ひなた市 ---------------------------------------------------------------------------------------


def test_hinata_extracts_land_row_by_row_as_the_answer_key_counts_them(tmp_path, home, hinata):
    import csv

    from kodomo.city.write_city import write_city

    write_city(residents=400, months=12, seed=3, out=tmp_path / "city")
    result = receive([tmp_path / "city" / "extracts"], home=home, municipality=hinata, by="tester", at=AT)
    assert result["exit_code"] == 0, [d for d in result["deliveries"] if d["state"] == "refused"]
    assert result["landed"] == result["files"] > 20
    with (tmp_path / "city" / "answer_key" / "links.csv").open(encoding="utf-8-sig") as handle:
        key = {(row["file"], int(row["row"])) for row in csv.DictReader(handle)}
    found = landed_mentions(home, open_vault(home))
    landed = set(zip(found["file"].to_pylist(), found["row"].to_pylist(), strict=True))
    from kodomo.vault.models import QuarantinedRow

    quarantined = {
        (q.receipt.file_name, q.row_number) for q in QuarantinedRow.objects.using("vault").select_related("receipt")
    }
    assert landed | quarantined == key and landed.isdisjoint(quarantined)


def test_each_way_of_reading_apart_gives_the_same(deliver_apart, inbox, home, tmp_path, town, monkeypatch):
    rows = [f"{n},山田{n},R5.4.1,町{n}," for n in range(50)] + ["x,y"]
    put(inbox, RESIDENTS, residents_csv(*rows))
    forked = deliver_apart(inbox)
    monkeypatch.setattr("kodomo.intake.child.CAN_FORK", False)
    other = Home(tmp_path / "other")
    spawned = receive([inbox], home=other, municipality=read_municipality(town), by="tester", at=AT)
    assert spawned["rows_landed"] == forked["rows_landed"] == 50
    assert spawned["deliveries"][0]["quarantined"] == forked["deliveries"][0]["quarantined"]
    apart = landed_mentions(other, open_vault(other))
    assert apart.equals(landed_mentions(home, open_vault(home)))


def test_reader_that_never_starts_is_a_refused_file(deliver_apart, inbox):
    put(inbox, ABSENCES, absences_csv("A1,翡翠川,2026-03,3,0"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kodomo.intake.child._START", "raise SystemExit(3); ")
        (told,) = deliver_apart(inbox)["deliveries"]
    assert (told["state"], told["code"]) == ("refused", "child_died") and "翡翠川" not in str(told)
