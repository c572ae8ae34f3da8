"""The questions of an inquiry (調査), one a line, some with choices to tick or pick from (casework side)."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CHOICES, LONGEST_CHOICE = 10, 30
LONGEST_LIST = 255
"""Characters of all the choices with the commas between them: a spreadsheet's drop-down holds no more."""

_CHOOSING = re.compile(r"^(?P<text>.*?)\s*[(（]\s*選択\s*[:：](?P<choices>[^()（）]*)[)）]\s*$")


@dataclass(frozen=True)
class Question:
    """One question; without choices it is answered in words."""

    number: int
    text: str
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """As it stands on the form: the number makes it one of a kind."""
        return f"問{self.number} {self.text}"


def read_questions(text: str) -> tuple[Question, ...]:
    """Every line that says something, with the choices at its end.

    >>> [(q.label, q.choices) for q in read_questions("登校の様子(選択: 毎日、週に数日)\\n\\n友だちとの様子")]
    [('問1 登校の様子', ('毎日', '週に数日')), ('問2 友だちとの様子', ())]
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(_question(number, line) for number, line in enumerate(lines, 1))


def _question(number: int, line: str) -> Question:
    found = _CHOOSING.match(line)
    if found is None:
        return Question(number, line)
    choices = tuple(word.strip() for word in re.split("[、,，]", found["choices"]) if word.strip())
    return Question(number, found["text"], choices)


def fault_of_choices(text: str) -> str:
    """What is wrong with the choices of the first question that has a fault; empty where all are in order."""
    for line, one in zip((line for line in text.splitlines() if line.strip()), read_questions(text), strict=True):
        if _CHOOSING.match(line.strip()):
            fault = _fault(one)
            if fault:
                return f"{one.number} 行目の選択肢は、{fault}"
    return ""


def _fault(one: Question) -> str:
    if not one.text:
        return "何を聞くのかが前に書かれていません。"
    if not 2 <= len(one.choices) <= MOST_CHOICES:
        return f"2 個から {MOST_CHOICES} 個までにしてください。"
    if len(set(one.choices)) < len(one.choices):
        return "同じことばが二つあります。"
    if any(len(word) > LONGEST_CHOICE for word in one.choices) or len(",".join(one.choices)) > LONGEST_LIST:
        return f"一つ {LONGEST_CHOICE} 文字まで、合わせて {LONGEST_LIST} 文字までにしてください。"
    return ""
