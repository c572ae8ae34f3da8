"""What a card tells of a person besides the newest print: by which readings somebody may be remembered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from kodomo.linkage.cards import cards_told, tell_cards
from kodomo.linkage.numbers import number_persons
from kodomo.vault.card import Card, cards_of, index_terms

from .paper import ON, Paper


def card(paper: Paper, model_file: Path) -> Card:
    linked = paper.link(model_file)
    number_persons(linked.connection, None, 0)
    tell_cards(linked.connection, ON, {"resident_register"})
    (only,) = [told for piece in cards_told(linked.connection) for told in cards_of(piece)]
    return only


def test_the_reading_of_an_alias_and_a_reading_of_before_are_kept(paper: Paper, model_file: Path) -> None:
    for at, kana in enumerate(("ドス サントス マリア", "ドス サントス タナカ マリア")):
        paper.resident("0000101", "DOS SANTOS MARIA", kana, "2015-05-05", household_number="H1")
        body = paper.mentions[-1]
        body["alias_name"], body["alias_kana"], body["row_key"] = "田中 まりあ", "タナカ マリア", "0000101"
        body["is_superseded"], body["known_from"] = at < 1, dt.date(2026, 1 + at, 1)
    told = card(paper, model_file)
    assert told.name_kana == "ドス サントス タナカ マリア"
    assert told.other_readings == ("タナカ マリア", "ドス サントス マリア")
    terms = index_terms(told)
    assert {("surname", "タナカ"), ("given", "マリア"), ("given", "サントス"), ("kana", "タナカマリア")} <= terms


def test_who_has_one_reading_has_no_others(paper: Paper, model_file: Path) -> None:
    paper.resident("0000101", "架空 花", "ｶｸｳ ﾊﾅ", "2015-05-05", household_number="H1")
    assert card(paper, model_file).other_readings == ()
