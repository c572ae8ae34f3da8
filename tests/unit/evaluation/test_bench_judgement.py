"""The comparison on outside tables: reading, refusals in Japanese, encodings that see no other fold, figures."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from kodomo.cli import main
from kodomo.evaluation.bench import compare, reading
from kodomo.evaluation.bench.compare import as_text, bench_judgement, one_fold
from kodomo.evaluation.bench.encoding import Columns, encode_training, fit_encoder
from kodomo.evaluation.bench.measures import calibration_error, figures
from kodomo.evaluation.bench.peers import PEERS
from kodomo.evaluation.bench.reading import UnusableTable, read_table


def write(path: Path, rows: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(rows) + "\n", encoding=encoding)
    return path


def rows_of(count: int = 200, words: tuple[str, str] = ("0", "1")) -> list[str]:
    generator = np.random.default_rng(1)
    lines = ["番号,年齢,地区,空,同じ,結果"]
    for n in range(count):
        age, area = generator.integers(0, 15), generator.choice(["北", "南", "東"])
        case = generator.random() < (0.5 if age > 10 and area == "北" else 0.1)
        lines.append(f"{n},{age if n % 7 else ''},{area if n % 11 else ''},,x,{words[int(case)]}")
    return lines


def test_numbers_texts_and_empty_cells_are_told_apart(tmp_path):
    table = read_table(write(tmp_path / "t.csv", rows_of()), target="結果", ignore=["番*"])
    assert table.columns.names == ("年齢", "地区")
    assert np.isnan(table.columns.numbers["年齢"]).sum() == 29
    assert table.columns.texts["地区"][0] is None and table.columns.texts["地区"][1] in {"北", "南", "東"}
    notes = "\n".join(table.notes)
    assert "すべて空の列を除いた: 空" in notes and "値が一つの列を除いた: 同じ" in notes and "番号" in notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encodings_of_the_file(tmp_path, encoding):
    table = read_table(write(tmp_path / "t.csv", rows_of(), encoding), target="結果")
    assert "地区" in table.columns.texts


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_titles_above_the_names_are_passed_over_and_said(tmp_path, separator):
    lines = ["令和8年度 児童の状況(学校教育課)", "", "作成日,2026年4月1日", *rows_of()]
    path = write(tmp_path / "t.csv", [*lines[:3], *(line.replace(",", separator) for line in lines[3:])])
    table = read_table(path, target="結果", ignore=["番*"])
    assert table.columns.names == ("年齢", "地区") and len(table.y) == 200
    assert any("より上の 3 行を、表題とみて除いた" in note for note in table.notes)
    plain = read_table(write(tmp_path / "plain.csv", rows_of()), target="結果", ignore=["番*"])
    assert (table.y == plain.y).all() and not any("表題" in note for note in plain.notes)


@pytest.mark.parametrize(
    "words",
    [
        ("false", "true"),
        ("No", "Yes"),
        ("いいえ", "はい"),
        ("0.0", "1.0"),
        ("無し", "有り"),
        ("陰性", "陽性"),
        ("０", "１"),
        ("－", "○"),
    ],
)
def test_targets_with_known_words(tmp_path, words):
    table = read_table(write(tmp_path / "t.csv", rows_of(words=words)), target="結果")
    assert table.positive == words[1]


def test_of_two_other_values_the_rarer_is_positive_and_that_is_said(tmp_path):
    table = read_table(write(tmp_path / "t.csv", rows_of(words=("健康", "要支援"))), target="結果")
    assert table.positive == "要支援" and 0 < table.y.mean() < 0.5
    assert any("少ない方" in note for note in table.notes)


@pytest.mark.parametrize("word", ["○", "有", "該当", "1"])
def test_an_outcome_that_only_marks_its_cases_is_negative_where_empty(tmp_path, word):
    table = read_table(write(tmp_path / "t.csv", rows_of(words=("", word))), target="結果")
    assert len(table.y) == 200 and table.positive == word
    assert table.y.sum() == sum(line.endswith(f",{word}") for line in rows_of(words=("", word)))
    assert any("空のセルを陰性とした" in note for note in table.notes)


def test_a_single_word_that_marks_no_case_is_no_outcome(tmp_path):
    with pytest.raises(UnusableTable, match="一つの値しかありません"):
        read_table(write(tmp_path / "t.csv", rows_of(words=("", "いいえ"))), target="結果")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("¥12,345", 12345), ("12,345円", 12345), ("▲1,200", -1200), ("△30", -30), ("１２．５", 12.5), ("7日", 7), ("36.5 ℃", 36.5),
     ("1,234,567.5", 1234567.5), ("5％", 5), ("-3", -3), ("1e3", 1000)],
)  # fmt: skip
def test_a_number_as_offices_write_it(cell, value):
    assert reading._number(cell) == value


@pytest.mark.parametrize("cell", ["1_2", "3年2組", "A12", "12-3", "円", "", "1,2", "2024/1/3", "令和5年"])
def test_no_number(cell):
    assert reading._number(cell) is None


@pytest.mark.parametrize(
    ("cell", "on"),
    [("2024/1/5", "2024-01-05"), ("2024年1月5日", "2024-01-05"), ("令和6年1月5日", "2024-01-05"), ("R6.1.5", "2024-01-05"),
     ("令和元年5月1日", "2019-05-01"), ("H30/12/3", "2018-12-03"), ("昭和60年4月1日", "1985-04-01"), ("２０２４/１/５", "2024-01-05")],
)  # fmt: skip
def test_a_day_as_offices_write_it(cell, on):
    days = reading._as_days(np.array([cell, "2020-02-29"], dtype=object), np.array([True, True]))
    assert days is not None and days[0] == dt.date.fromisoformat(on).toordinal()


def test_a_column_of_words_is_no_column_of_days():
    for cell in ("R6.13.5", "X6.1.5", "令和", "R6"):
        assert reading._as_days(np.array([cell], dtype=object), np.array([True])) is None


def test_ids_are_warned_of_or_left_out(tmp_path):
    lines = [line + (",なまえ" if n == 0 else f",こども{n}") for n, line in enumerate(rows_of())]
    table = read_table(write(tmp_path / "t.csv", lines), target="結果")
    notes = "\n".join(table.notes)
    assert "なまえ" not in table.columns.names and "番号や名前らしい" in notes
    assert "番号" in table.columns.names and "警告" in notes


@pytest.mark.parametrize(
    ("change", "target", "words"),
    [
        (lambda rows: rows, "ない列", "--target の列「ない列」が表にありません"),
        (lambda rows: [rows[0]] + [r[:-1] + "0" for r in rows[1:]], "結果", "一つの値しかありません"),
        (lambda rows: rows, "年齢", "種類の値があります"),
        (lambda rows: rows[:60], "結果", "20 行以上が必要です"),
        (lambda rows: rows[:1], "結果", "行がない"),
        (lambda rows: [r.rsplit(",", 2)[0] + "," + r.rsplit(",", 1)[1] for r in rows], "空", "すべて空です"),
    ],
)
def test_bad_tables_are_refused_in_japanese(tmp_path, change, target, words):
    path = write(tmp_path / "t.csv", change(rows_of()))
    with pytest.raises(UnusableTable) as refusal:
        read_table(path, target=target)
    assert words in refusal.value.text() and refusal.value.then


def test_what_tables_of_offices_hold_is_read_as_meant(tmp_path):
    lines = []
    for n, line in enumerate(rows_of()):
        extra = "申請日,収入,割合,率,班" if n == 0 else (
            f'2024/{n % 12 + 1}/3,"{"不明" if n == 5 else f"{n},000"}",{n % 50}%,{"?" if n % 9 == 0 else n % 30},{n % 3}_1'
        )  # fmt: skip
        lines.append(f"{extra},{line}")
    table = read_table(write(tmp_path / "t.csv", lines), target="結果", ignore=["番号"])
    assert {"申請日", "収入", "割合", "率"} <= set(table.columns.numbers) and "班" in table.columns.texts
    assert table.columns.numbers["収入"][0] == 1000 and np.isnan(table.columns.numbers["収入"][4])
    assert np.isnan(table.columns.numbers["率"]).sum() == 22
    assert any("日付" in note for note in table.notes) and any("数でないセル" in note for note in table.notes)


def test_an_outcome_written_in_two_ways_is_one(tmp_path):
    lines = [line[:-1] + "1.0" if line.endswith(",1") and n % 2 else line for n, line in enumerate(rows_of())]
    assert read_table(write(tmp_path / "t.csv", lines), target="結果").y.sum() == sum(
        r.endswith(",1") for r in rows_of()
    )


def test_a_second_copy_of_the_outcome_is_refused_and_other_doubles_are_told_apart(tmp_path):
    rows = rows_of()
    doubled = [f"{line},{line.rsplit(',', 1)[1]}" for line in rows]
    with pytest.raises(UnusableTable, match="同じ名前の列がもう一つ"):
        read_table(write(tmp_path / "t.csv", doubled), target="結果")
    doubled = [f"{line.split(',')[1]},{line}" for line in rows]
    assert {"年齢", "年齢.2"} <= set(read_table(write(tmp_path / "t.csv", doubled), target="結果").columns.names)


def test_lines_longer_than_the_header_are_named_unless_only_commas(tmp_path):
    rows = rows_of()
    table = read_table(write(tmp_path / "t.csv", [rows[0], *(f"{r}," for r in rows[1:])]), target="結果")
    assert table.columns.names == ("番号", "年齢", "地区")
    with pytest.raises(UnusableTable, match="4 行目のセルが"):
        read_table(write(tmp_path / "t.csv", [*rows[:3], rows[3] + ",7", *rows[4:]]), target="結果")


def test_a_column_that_tells_the_outcome_alone_is_warned_of(tmp_path):
    rows = rows_of()
    assert not any("言い当てる" in note for note in read_table(write(tmp_path / "t.csv", rows), target="結果").notes)
    for words in (("3", "9"), ("未", "済")):
        leaky = [line + (",支援" if n == 0 else "," + words[int(line[-1])]) for n, line in enumerate(rows)]
        notes = read_table(write(tmp_path / "t.csv", leaky), target="結果").notes
        assert any("言い当てる" in note and note.endswith("支援") for note in notes)


def test_only_useless_columns_are_refused(tmp_path):
    lines = [",".join(line.split(",")[3:]) for line in rows_of()]
    with pytest.raises(UnusableTable, match="学習に使える列が残りません"):
        read_table(write(tmp_path / "t.csv", lines), target="結果")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnusableTable, match="ファイルがありません"):
        read_table(tmp_path / "none.csv", target="結果")


def test_a_row_never_helps_to_make_its_own_rate():
    """A level's rate for a training row comes from the other folds: a level of one row tells nothing."""
    generator = np.random.default_rng(1)
    y = (generator.random(400) < 0.3) + 0.0
    texts = np.array([f"名{n}" for n in range(400)], dtype=object)
    table = Columns(("c",), {}, {"c": texts})
    encoder = fit_encoder(table, y)
    x = encode_training(encoder, table, y, None, 1)
    assert np.ptp(x[y > 0, -1]) < 0.02 and abs(x[y > 0, -1].mean() - x[y == 0, -1].mean()) < 0.01


def test_a_level_unseen_in_training_is_none_of_the_known_ones():
    y = np.r_[np.ones(30), np.zeros(70)]
    table = Columns(("c",), {}, {"c": np.array(["a", "b", "c", "d"] * 25, dtype=object)})
    encoder = fit_encoder(table, y)
    new = encoder(Columns(("c",), {}, {"c": np.array(["e", None], dtype=object)}))
    assert (new[0, :-1] == 0).all() and new[0, -1] == pytest.approx(0.3) and np.isnan(new[1]).all()


def test_figures_by_hand():
    p, y = np.array([0.9, 0.8, 0.7, 0.1]), np.array([1.0, 0.0, 1.0, 0.0])
    found = figures(p, y)
    assert found["auroc"] == 0.75
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["precision_at_2"] == 1.0 and found["recall_at_10"] == 0.5
    assert found["brier"] == pytest.approx((0.01 + 0.64 + 0.09 + 0.01) / 4)
    assert calibration_error(p, y) == pytest.approx((0.1 + 0.8 + 0.3 + 0.1) / 4)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("bench") / "t.csv", rows_of())
    return path, bench_judgement(path, target="結果", ignore=["番号"], workers=1, repeats=1, without_peers=True)


def test_every_method_has_every_figure(compared):
    _, result = compared
    assert list(result["methods"]) == ["rule_discovery", "boosting", "similar_cases", "logistic", "combine"]
    for one in result["methods"].values():
        assert set(one) == {
            "auroc", "average_precision", "precision_at_2", "precision_at_5", "precision_at_10",
            "recall_at_2", "recall_at_5", "recall_at_10", "brier", "calibration_error", "seconds",
        }  # fmt: skip
        assert 0 <= one["auroc"] <= 1
    assert result["folds"]["repeats"] == 1 and result["rows"] == 200
    assert "combine" in as_text(result)


def test_the_same_fold_and_seed_give_the_same_rates(tmp_path):
    table = read_table(write(tmp_path / "t.csv", rows_of(150)), target="結果", ignore=["番号"])
    first, again = (one_fold(table, 0, np.arange(30), ["logistic_regression"], 1) for _ in range(2))
    assert all(np.array_equal(first.rates[name], again.rates[name]) for name in first.rates)
    assert set(first.rates) > {"combine", "logistic_regression"}


def test_the_command_refuses_a_missing_column_as_json(tmp_path, capsys):
    path = write(tmp_path / "t.csv", rows_of())
    assert main(["bench-judgement", str(path), "--target", "ない", "--json"]) == 2
    body = json.loads(capsys.readouterr().out)
    assert "ありません" in body["error"]["what"]


def test_the_command_leaves_out_the_peers_it_is_told_to(tmp_path, monkeypatch, capsys):
    asked = {}
    monkeypatch.setattr(compare, "bench_judgement", lambda path, **words: asked.update(words) or {})
    others = [word for name in PEERS if name != "xgboost" for word in ("--without", name)]
    assert main(["bench-judgement", "t.csv", "--target", "結果", "--json", *others]) == 0
    assert asked["leave_out"] == [name for name in PEERS if name != "xgboost"]
