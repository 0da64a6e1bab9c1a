"""Stages of deals and what they mean, and the moments of one opportunity in order."""

from dataclasses import dataclass
from random import Random

from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, day, money


@dataclass(frozen=True)
class Stage:
    """One stage of a deal: probability in percent, forecast category as value and as label."""

    name: str
    probability: float
    category: str
    category_name: str
    is_closed: bool = False
    is_won: bool = False

    def columns(self) -> Row:
        """Return the columns of an opportunity that follow from its stage."""
        return {
            "StageName": self.name, "Probability": self.probability, "IsClosed": self.is_closed, "IsWon": self.is_won,
            "ForecastCategory": self.category, "ForecastCategoryName": self.category_name,
        }  # fmt: skip


STAGES = (
    Stage("Prospecting", 10.0, "Pipeline", "Pipeline"),
    Stage("Qualification", 10.0, "Pipeline", "Pipeline"),
    Stage("Needs Analysis", 20.0, "Pipeline", "Pipeline"),
    Stage("Value Proposition", 50.0, "Pipeline", "Pipeline"),
    Stage("Id. Decision Makers", 60.0, "Pipeline", "Pipeline"),
    Stage("Perception Analysis", 70.0, "BestCase", "Best Case"),
    Stage("Proposal/Price Quote", 75.0, "BestCase", "Best Case"),
    Stage("Negotiation/Review", 90.0, "Forecast", "Commit"),
)
WON = Stage("Closed Won", 100.0, "Closed", "Closed", is_closed=True, is_won=True)
LOST = Stage("Closed Lost", 0.0, "Omitted", "Omitted", is_closed=True)
BY_NAME = {stage.name: stage for stage in (*STAGES, WON, LOST)}
LONGEST_DEAL_DAYS = 420
OVERDUE_SHARE = 0.15


@dataclass(frozen=True)
class Moment:
    """The deal from `at` (epoch seconds) on; `close_day` is the epoch day of its close date."""

    at: int
    stage: Stage
    amount: float | None
    close_day: int

    def columns(self) -> Row:
        """Return the columns of a history row and of the opportunity that the moment decides."""
        return {
            "Amount": self.amount, "ExpectedRevenue": expected(self.amount, self.stage.probability),
            "CloseDate": day(self.close_day * DAY_SECONDS),
        }  # fmt: skip


def expected(amount: float | None, probability: float) -> float | None:
    """Return amount times probability, or None without an amount."""
    return None if amount is None else money(amount * probability / 100)


def fiscal(close_date: str) -> Row:
    """Return the fiscal columns of a close date; the fiscal year is the calendar year."""
    year, quarter = close_date[:4], (int(close_date[5:7]) + 2) // 3
    return {"FiscalYear": int(year), "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def deal_moments(rng: Random, *, born: int, ends: int, amount: float | None, steps: int) -> list[Moment]:
    """Return the moments of a deal that begins at `born` and ends with `amount`.

    `steps` is their number, at least one. Stages only go forward. With more steps than stages a stage repeats, and the
    amount or the close date changes instead.
    """
    lasts = int((20 + rng.random() * (LONGEST_DEAL_DAYS - 20)) * DAY_SECONDS)
    is_over = born + lasts < ends
    end = min(born + lasts, ends)
    path = _path(rng, steps, is_over=is_over, progress=(end - born) / lasts)
    close_day = (born + lasts) // DAY_SECONDS
    times = [born, *sorted(born + 1 + int(rng.random() * (end - born)) for _ in range(len(path) - 1))]
    moments = [
        _moment(rng, times[step], path[step], amount=amount, close_day=close_day) for step in range(len(path) - 1)
    ]
    last_day = times[-1] // DAY_SECONDS if path[-1].is_closed else _close_day(rng, close_day, ends)
    return [*moments, Moment(times[-1], path[-1], amount, last_day)]


def _close_day(rng: Random, close_day: int, ends: int) -> int:
    """Return the close day of an open deal: mostly in time, sometimes overdue."""
    return ends // DAY_SECONDS - int(rng.random() * 40) if rng.random() < OVERDUE_SHARE else close_day


def _path(rng: Random, steps: int, *, is_over: bool, progress: float) -> list[Stage]:
    """Return one stage for each step, never backwards.

    A deal that is over ends won or lost.
    """
    furthest = len(STAGES) - 1 if is_over else min(int(progress * len(STAGES)), len(STAGES) - 1)
    last = (WON if rng.random() < 0.45 else LOST) if is_over else STAGES[furthest]
    passed = sorted(int(rng.random() * (furthest + 1)) for _ in range(steps - 1))
    if passed and rng.random() < 0.8:
        passed[0] = 0
    return [*(STAGES[place] for place in passed), last]


def _moment(rng: Random, at: int, stage: Stage, *, amount: float | None, close_day: int) -> Moment:
    """Return an earlier moment, with a guess of amount and close date."""
    guessed = None if amount is None or rng.random() < 0.2 else money(amount * (0.5 + int(rng.random() * 3) / 2))
    return Moment(at, stage, guessed, close_day - 15 * int(rng.random() * 3))
