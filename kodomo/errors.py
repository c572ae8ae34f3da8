"""What staff see when something cannot be done, and the exit code that tells a calling program why.

Every refusal says three things in Japanese: what happened, where, and what to do next.
A built-in exception that reaches the command line is a bug, never a message for staff.
"""

from __future__ import annotations


class KodomoError(Exception):
    """Root of everything this product raises on purpose."""


class StaffError(KodomoError):
    """A refusal shown to staff without a traceback.

    Args:
        what: what happened, one Japanese sentence.
        where: the file, row, column, setting or page concerned; never a cell value.
        then: what the reader should do next.
        details: machine-readable particulars for ``--json`` (codes, row numbers, counts).
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", then: str = "", **details: object) -> None:
        self.what = what
        self.where = where
        self.then = then
        self.details = details
        super().__init__(self.text())

    def text(self) -> str:
        """The message as staff read it: one part per line, empty parts left out."""
        parts = [self.what]
        if self.where:
            parts.append(f"場所: {self.where}")
        if self.then:
            parts.append(f"次にすること: {self.then}")
        return "\n".join(parts)


class WrongUsage(StaffError):
    """The command was called with words it does not know, or without one it needs."""

    exit_code = 2


class ConfigurationFault(StaffError):
    """The municipality's folder (settings, layouts, register, criteria) does not hold together."""

    exit_code = 3


class DeliveryRefused(StaffError):
    """A whole file may not enter: hostile, unknown, the same as before, or against its layout."""

    exit_code = 4


class NotPermitted(StaffError):
    """The law, the register or the role does not allow it."""

    exit_code = 5


class NotReady(StaffError):
    """An earlier stage has not been run, or its result is not there."""

    exit_code = 6


class IntegrityFault(StaffError):
    """Stored data are not as they were written: a broken seal, chain, or snapshot."""

    exit_code = 7


class Busy(StaffError):
    """Another run holds what this one needs."""

    exit_code = 8


EXIT_CODES: dict[int, str] = {
    0: "終わりました",
    1: "職員向けの断り(分類なし)",
    2: "コマンドの書き方の誤り",
    3: "自治体フォルダ(設定・レイアウト・登録簿・判定基準)の誤り",
    4: "受け取りを断ったファイルがある",
    5: "法的根拠・権限がない",
    6: "前の工程が終わっていない",
    7: "保存データの破損・改ざんの疑い",
    8: "ほかの処理が実行中",
    70: "製品の不具合(開発者へ連絡してください)",
}
