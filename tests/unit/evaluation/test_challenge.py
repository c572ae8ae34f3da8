"""Challenger against champion: the same children, an interval, two people, and a model that is made again or refused."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from features.factory import simulated_town
from judgement.conftest import AS_OF, LABELS, TYPES, write_criteria

from kodomo.configuration import Home, Municipality
from kodomo.errors import IntegrityFault, NotReady, WrongUsage
from kodomo.evaluation.challenge import Pair, _by_place, _compared, challenge, sentence
from kodomo.evaluation.metrics import auroc
from kodomo.governance.approvals import Person, Step
from kodomo.governance.champion import champion, roll_back
from kodomo.governance.criteria_versions import NotApproved
from kodomo.governance.models import models_status, promote_model
from kodomo.governance.permissions import Role
from kodomo.governance.rules import Bound, found_rules, say
from kodomo.governance.suppression import Suppression
from kodomo.judgement import learning, methods
from kodomo.judgement.learners import rule_discovery
from kodomo.judgement.learners.rule_discovery import RuleDiscovery
from kodomo.judgement.run import judge_cohort
from kodomo.store.database import Store
from kodomo.terms import Method

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
TOKO, SHINOBU = Person("大野 統子", Role.COORDINATOR), Person("工藤 忍", Role.APPROVER)
RIN = Person("江藤 凛", Role.ANALYST)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> tuple[Home, Municipality]:
    """A published town, small, with criteria of its own."""
    root = tmp_path_factory.mktemp("challenge")
    home = Home(root / "home")
    town, _ = simulated_town(300, seed=11, registration=1.2)
    town.publish(home.store)
    folder = write_criteria(root / "m")
    for name in ("settings.toml", "offices.toml"):
        shutil.copy(hinata.folder / name, folder / name)
    shutil.copytree(hinata.folder / "register", folder / "register")
    extras = {name: part for name, part in hinata.extras.items() if name != "approval"}
    return home, replace(hinata, folder=folder, types=TYPES, extras=extras)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    original = learning.Plan.__init__

    def init(self, horizon_months, rows="both", seed=20260401, bags=1, rounds=15):  # type: ignore[no-untyped-def]
        original(self, horizon_months, rows, seed, bags, rounds)

    monkeypatch.setattr(learning.Plan, "__init__", init)
    # Rules alone, and few rows: what is tried here is how models are compared, promoted and made again.
    monkeypatch.setattr(methods, "OTHERS_AT_MOST", 200)
    monkeypatch.setattr(
        methods, "other_learners", lambda training, staff: ((Method.RULES, RuleDiscovery(splits=1, staff=staff)),)
    )
    monkeypatch.setattr(rule_discovery, "TREES", 40)


def promote(home: Home, municipality: Municipality, version: str) -> None:
    for person in (TOKO, SHINOBU):
        promote_model(home, municipality, version, by=person, reason="比べた", at=AT)


def test_from_challenge_to_promotion_judgement_veto_and_back(installation: tuple[Home, Municipality]) -> None:
    home, municipality = installation
    words = {"home": home, "municipality": municipality, "as_of": AS_OF, "at": AT}
    first = judge_cohort(**words)
    assert first["champion"] is None
    with pytest.raises(NotReady):
        promote_model(home, municipality, str(first["model"]), by=TOKO, reason="まだ", at=AT)

    report = challenge(**words)
    version = str(report["version"])
    assert version == first["model"] and report["champion"] is None
    attendance = report["types"]["NON_ATTENDANCE"]
    assert not attendance["suppressed"] and attendance["verdict"] in ("BEATS", "UNSURE", "LOSES")
    value, low, high = attendance["auroc"]
    assert low <= value <= high and report["types"]["POVERTY"]["suppressed"]
    card = Path(str(report["card"])).read_text(encoding="utf-8")
    sheet = Path(str(report["register_sheet"])).read_text(encoding="utf-8")
    assert version in card and AS_OF.isoformat() in card and "いまの判定との比較" in card and "まだない" in card
    assert "まだ承認されていない" in sheet and "必ず職員が" in sheet and "氏名等を外した" in sheet
    assert "c0000" not in card + sheet

    promote(home, municipality, version[:8])
    assert champion(home) == version
    assert "大野 統子" in Path(str(report["card"])).read_text(encoding="utf-8")
    assert "異なる二人の承認" in Path(str(report["register_sheet"])).read_text(encoding="utf-8")
    again = judge_cohort(**words)
    assert (again["champion"], again["model"]) == (version, version)
    one, two = (Store(home.store).open("judgements", str(r["judgements"])).read("judgements") for r in (first, again))
    assert one.equals(two), "the promoted model judges as it did when it was approved"

    # A veto makes another model: the one in use stays as it was approved, the next candidate obeys.
    rule = next(r for r in found_rules(home, version) if r.folds)
    say(home, Step.FORBID, rule.name, by=RIN, reason="因果が逆", at=AT, model=version)
    assert judge_cohort(**words)["model"] == version
    second = challenge(**words)
    assert second["version"] != version and second["champion"] == version
    assert not any(r.folds for r in found_rules(home, str(second["version"])) if _contains(r.bounds, rule.bounds))
    promote(home, municipality, str(second["version"]))
    assert models_status(home)["champion"] == second["version"]
    assert roll_back(home, by=TOKO, reason="様子を見る", at=AT) == (second["version"], version)

    # Learned on a later day than the date judged: as it would have been learned then, and not called the champion's.
    earlier = {**words, "as_of": dt.date(2025, 12, 31)}
    past = judge_cohort(**earlier)
    assert past["model"] != version
    _tampered(home, municipality, version, words)


def _contains(bounds: tuple[Bound, ...], veto: tuple[Bound, ...]) -> bool:
    return {(b.column, b.side) for b in veto} <= {(b.column, b.side) for b in bounds}


def _tampered(home: Home, municipality: Municipality, version: str, words: dict[str, object]) -> None:
    """What people approved is used, or nothing."""
    path = home.store / "models" / version / "recipe.json"
    kept = path.read_text(encoding="utf-8")
    body = json.loads(kept)
    path.write_text(json.dumps({**body, "as_of": "2026-01-31"}), encoding="utf-8")
    before = Store(home.store).names("judgements")
    with pytest.raises(IntegrityFault, match="つくり直せません"):
        judge_cohort(**words)  # type: ignore[arg-type]
    assert Store(home.store).names("judgements") == before
    path.write_text(kept, encoding="utf-8")
    labels = municipality.folder / "criteria" / "labels.toml"
    labels.write_text(LABELS + "# 見直した\n", encoding="utf-8")
    with pytest.raises(NotReady, match="別の版の判定基準"):
        judge_cohort(**words)  # type: ignore[arg-type]
    with pytest.raises(NotApproved):
        promote_model(home, municipality, version, by=TOKO, reason="x", at=AT)
    labels.write_text(LABELS, encoding="utf-8")


def test_a_model_is_not_promoted_on_criteria_nobody_approved(
    installation: tuple[Home, Municipality], tmp_path: Path
) -> None:
    home, municipality = installation
    strict = replace(municipality, extras={**municipality.extras, "approval": {"required": True}})
    version = models_status(home)["models"][0]["version"]
    with pytest.raises(WrongUsage):
        promote_model(home, strict, "nothing", by=TOKO, reason="x", at=AT)
    with pytest.raises((NotApproved, NotReady)):
        promote_model(home, strict, version, by=TOKO, reason="x", at=AT)


def test_the_same_scores_differ_by_nothing_and_few_cases_are_not_compared() -> None:
    rng = np.random.default_rng(1)
    positive = (np.arange(400) < 30).astype(float)
    scores, group = rng.normal(size=400) + positive, np.array([f"h{n}" for n in range(400)], dtype=object)
    rule = Suppression(7, 5)
    same = _compared(Pair(scores, scores, positive, group), 0.1, rule, rng)
    assert same["verdict"] == "SAME" and same["auroc"] == [0.0, 0.0, 0.0]
    worse = _compared(Pair(rng.normal(size=400), scores + positive, positive, group), 0.1, rule, rng)
    assert worse["verdict"] == "LOSES"
    few = _compared(Pair(scores, scores, (np.arange(400) < 7).astype(float), group), 0.1, rule, rng)
    assert few == {"children": 400, "cases": None, "suppressed": True, "verdict": None}
    words = sentence({"a": same, "b": worse, "c": few}, worse, against_model=True)
    assert (
        "上回る類型 0" in words
        and "下回る類型 1" in words
        and "比べられない類型 1" in words
        and "現用のモデル" in words
    )
    assert "あわせた順位の正しさの差は -0." in words
    assert "比べられない" in sentence({"c": few}, few, against_model=False)
    both = _by_place({"a": Pair(scores, -scores, positive, group), "b": Pair(10 * scores, scores, positive, group)})
    assert len(both.one) == 800 and both.one.max() <= 1
    assert auroc(both.one, both.positive) == pytest.approx(auroc(scores, positive))
