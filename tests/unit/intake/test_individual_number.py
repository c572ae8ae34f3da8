"""個人番号 are recognised however they are written, and ordinary numbers are not taken for them."""

from __future__ import annotations

import random

import pytest
from town import AT, RESIDENTS_HEADER, residents_csv

from kodomo.errors import DeliveryRefused
from kodomo.intake.individual_number import NumberWatch, has_valid_check_digit, twelve_digits_in


def check_digit(eleven: str) -> str:
    """Worked out the long way round: P_n counted from the lowest digit, Q_n = n+1 or n-5."""
    total = sum(int(eleven[-n]) * (n + 1 if n <= 6 else n - 5) for n in range(1, 12))
    return "0" if total % 11 <= 1 else str(11 - total % 11)


def numbers(count: int, seed: int = 1) -> list[str]:
    source = random.Random(seed)  # noqa: S311
    elevens = ["".join(source.choice("0123456789") for _ in range(11)) for _ in range(count)]
    return [eleven + check_digit(eleven) for eleven in elevens]


def test_check_digit_agrees_with_the_ordinance():
    assert has_valid_check_digit("123456789018")
    for number in numbers(300):
        assert has_valid_check_digit(number)
        assert not has_valid_check_digit(number[:11] + str((int(number[11]) + 1) % 10))


@pytest.mark.parametrize(
    "cell",
    [
        "123456789018",
        "１２３４５６７８９０１８",
        "1234-5678-9018",
        "1234 5678 9018",
        "1234‐5678‐9018",
        "１２３４－５６７８－９０１８",
        " 123456789018 ",
        "番号:123456789018",
        "1234　5678　9018",
    ],
)
def test_twelve_digits_are_found_in_every_dress(cell):
    assert twelve_digits_in(cell) == "123456789018"
    watch = NumberWatch("番号")
    watch.look({cell, "ひなた市日向町一丁目2番3号", "090-1234-5678"})
    assert (watch.valid_count, watch.invalid_count) == (1, 0)


@pytest.mark.parametrize("cell", ["12345678901", "1234567890123", "", "山田", "0123-456-789", "2024-05-01 12:00:00"])
def test_other_numbers_are_not_twelve_digits(cell):
    assert twelve_digits_in(cell) is None


def test_column_of_arbitrary_twelve_digit_numbers_passes():
    source = random.Random(2)  # noqa: S311
    watch = NumberWatch("宛名番号")
    watch.look({f"{source.randrange(10**12):012d}" for _ in range(500)})
    assert not watch.holds_individual_numbers


def test_column_of_two_valid_numbers_may_be_chance_and_three_not():
    watch = NumberWatch("備考")
    watch.look(numbers(2))
    assert not watch.holds_individual_numbers
    watch.look(numbers(1, seed=9))
    assert watch.holds_individual_numbers


@pytest.mark.parametrize("header", ["個人番号", "本人_個人番号", "マイナンバー", "住民票コード"])
def test_column_named_so_is_refused_when_filled_and_only_then(header):
    watch = NumberWatch(header)
    watch.look({"", " "})
    assert not watch.holds_individual_numbers
    watch.look({"12345678901"})
    assert watch.holds_individual_numbers


@pytest.mark.parametrize(
    "dress",
    [str, lambda n: f"{n[:4]}-{n[4:8]}-{n[8:]}", lambda n: n.translate({c: c + 0xFEE0 for c in range(0x30, 0x3A)})],
)
@pytest.mark.parametrize("where", ["undeclared", "ignored", "declared"])
def test_file_with_such_a_column_is_refused_whole(read, dress, where):
    values = [dress(n) for n in numbers(5)]
    if where == "undeclared":
        content = residents_csv(
            *(f"{i},山田,R5.4.1,町,,{v}" for i, v in enumerate(values)), header=RESIDENTS_HEADER + ",整理番号"
        )
    elif where == "ignored":
        content = residents_csv(*(f"{i},山田,R5.4.1,町,{v}" for i, v in enumerate(values)))
    else:
        content = residents_csv(*(f"{i},{v},R5.4.1,町," for i, v in enumerate(values)))
    with pytest.raises(DeliveryRefused) as refusal:
        read("住民_20260401.csv", content)
    assert refusal.value.details["code"] == "individual_number"
    assert not any(value in refusal.value.text() for value in values)


def test_refused_numbers_leave_no_trace(deliver, home, inbox):
    values = numbers(5)
    (inbox / "住民_20260401.csv").write_bytes(residents_csv(*(f"{i},山田,R5.4.1,町,{v}" for i, v in enumerate(values))))
    result = deliver(inbox, at=AT)
    assert result["landed"] == 0 and result["exit_code"] == 4
    written = b"".join(p.read_bytes() for p in home.root.rglob("*") if p.is_file())
    assert not any(value.encode() in written for value in values)
