"""What became of every call: answered rightly, refused with a status, lost without one, or answered wrongly."""

from collections.abc import Iterable
from dataclasses import dataclass, field

UNMET_DEADLINE = "DEADLINE_EXCEEDED"


@dataclass(kw_only=True)
class Account:
    """Calls, or messages of streams, by what became of them.

    Attributes:
        sent: All of them.
        right: Answered as ONNX Runtime answers, or refused with exactly the status that the request deserves.
        refused: Answered with a status that says no, by its name.
        lost: Without an answer and without a status until the client's own generous deadline.
        wrong: Answered with something else than the right answer, that of another caller for example.
        examples: Details of some that were not right.
    """

    sent: int = 0
    right: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)

    def answered(self, is_right: bool, what: str = "", count: int = 1) -> None:
        """Enter answers."""
        self.sent += count
        if is_right:
            self.right += count
        else:
            self.wrong += count
            self.note(what)

    def said_no(self, code: str, details: str = "", count: int = 1) -> None:
        """Enter calls that ended with a status; one that came of the client's own deadline means they were lost."""
        self.sent += count
        if code == UNMET_DEADLINE:
            self.lost += count
        else:
            self.refused[code] = self.refused.get(code, 0) + count
        self.note(f"{code}: {details}")

    def note(self, what: str) -> None:
        """Keep two examples of each kind of what went wrong: of each status, and of wrong answers."""
        kind = what.partition(":")[0]
        alike = sum(example.partition(":")[0] == kind for example in self.examples)
        if what and what not in self.examples and alike < 2 and len(self.examples) < 12:
            self.examples.append(what[:300])

    @property
    def adds_up(self) -> bool:
        """Whether every call has an entry."""
        return self.sent == self.right + sum(self.refused.values()) + self.lost + self.wrong

    def __add__(self, other: "Account") -> "Account":
        total = Account(
            sent=self.sent + other.sent,
            right=self.right + other.right,
            refused={
                code: self.refused.get(code, 0) + other.refused.get(code, 0) for code in self.refused | other.refused
            },
            lost=self.lost + other.lost,
            wrong=self.wrong + other.wrong,
        )
        for example in (*self.examples, *other.examples):
            total.note(example)
        return total


def total(accounts: Iterable[Account]) -> Account:
    """All accounts as one."""
    return sum(accounts, Account())


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a scenario showed.

    Attributes:
        scenario: Its name.
        account: Of the calls that well-behaved clients made meanwhile.
        failures: What was not as it should be; empty if all was well.
        notes: Figures worth a sentence.
        skipped: Why it was not run; empty if it was.
        figures: Whatever else was measured.
    """

    scenario: str
    account: Account = field(default_factory=Account)
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str = ""
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it ran and all was well."""
        return not self.skipped and not self.failures


OUTCOME_COLUMNS = (
    "scenario", "sent", "answered right", "refused with a status", "lost without a status", "wrong", "verdict", "notes",
)  # fmt: skip


def outcome_row(outcome: Outcome) -> list[object]:
    """A line of the table."""
    if outcome.skipped:
        return [outcome.scenario, "", "", "", "", "", "not run", outcome.skipped]
    account = outcome.account
    refused = ", ".join(f"{code} {count:,}" for code, count in sorted(account.refused.items())) or "0"
    verdict = "ok" if outcome.passed else f"FAILED: {'; '.join(outcome.failures)}"
    return [
        outcome.scenario, account.sent, account.right, refused, account.lost, account.wrong, verdict,
        "; ".join(outcome.notes),
    ]  # fmt: skip


def judged(account: Account, *, allowed: Iterable[str] = (), min_right: int = 1) -> tuple[str, ...]:
    """What is wrong with an account: nothing may be lost or wrong, and only allowed statuses may come.

    Args:
        account: To judge.
        allowed: Statuses that the fault excuses.
        min_right: How many right answers there must be at least, so that a dead server does not pass.
    """
    failures = []
    if account.lost:
        failures.append(f"{account.lost} lost")
    if account.wrong:
        failures.append(f"{account.wrong} wrong")
    if not account.adds_up:
        failures.append("the account does not add up")
    strange = {code: count for code, count in account.refused.items() if code not in set(allowed)}
    if strange:
        failures.append(f"refused without reason: {strange} {account.examples}")
    if account.right < min_right:
        failures.append(f"only {account.right} right answers, expected {min_right}")
    return tuple(failures)
