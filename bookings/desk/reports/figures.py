"""What a report is made of: a sentence that says it, a chart, and the table the chart is drawn from."""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal

# Pixels; widths are shares of the page, so that text keeps its size on a phone.
CHART_HEIGHT, HEAD, FOOT = 220, 24, 28
ROW_HEIGHT, BAR_HEIGHT = 52, 18
# Beyond so many columns a label would touch the next one; on a phone sooner.
MOST_LABELS, MOST_ON_A_PHONE = 14, 5
# The longest bar leaves room for its own figure.
WIDEST = 80

Cell = str | int | float | Decimal | None


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar: ``share`` of the tallest from 0 to 1, and its figure in words."""

    label: str
    share: float
    figure: str


@dataclasses.dataclass(frozen=True)
class Placed:
    """A bar with its place in the picture; ``x``, ``width`` and ``middle`` are percent, the rest pixels."""

    bar: Bar
    x: float
    middle: float
    width: float
    top: float
    height: float
    label_at: float
    css: str = ""


@dataclasses.dataclass(frozen=True)
class Chart:
    """``title`` names it, ``about`` says in a sentence what is to be seen; columns stand in time, rows beside names."""

    title: str
    about: str
    bars: tuple[Bar, ...]
    is_in_time: bool

    @property
    def height(self) -> int:
        return CHART_HEIGHT if self.is_in_time else ROW_HEIGHT * max(1, len(self.bars))

    def placed(self) -> list[Placed]:
        return list(map(self._column if self.is_in_time else self._row, range(len(self.bars)), self.bars))

    def _column(self, number: int, bar: Bar) -> Placed:
        slot = 100 / len(self.bars)
        room = CHART_HEIGHT - HEAD - FOOT
        height = round(room * bar.share, 1)
        return Placed(
            bar=bar,
            x=round(slot * (number + 0.15), 2),
            middle=round(slot * (number + 0.5), 2),
            width=round(slot * 0.7, 2),
            top=HEAD + room - height,
            height=height,
            label_at=CHART_HEIGHT - 8,
            css=self._css(number),
        )

    def _row(self, number: int, bar: Bar) -> Placed:
        width = round(WIDEST * bar.share, 2)
        top = number * ROW_HEIGHT
        return Placed(bar, 0, width, width, top + 24, BAR_HEIGHT, top + 16)

    def _css(self, number: int) -> str:
        """Which labels give way: "minor" everywhere, "wide" on a phone."""
        count = len(self.bars)
        if number % -(-count // MOST_LABELS):
            return "minor"
        return "wide" if number % -(-count // MOST_ON_A_PHONE) else ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Plain values in rows of cells; the first column names the row. ``shown`` writes them for people."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def shown(self) -> list[list[str]]:
        return [[self._words(cell) for cell in row] for row in self.rows]

    def _words(self, cell: Cell) -> str:
        if cell is None:
            return "–"
        if isinstance(cell, float):
            return percent(cell)
        if isinstance(cell, Decimal):
            return f"{cell:,.2f}"
        return str(cell)


@dataclasses.dataclass(frozen=True)
class Report:
    """``headline`` is the answer in one sentence; tables follow the charts they belong to."""

    headline: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def over_time(step: str, labels: Sequence[str], series: Mapping[str, Sequence[Cell]]) -> Table:
    """How it went: a row for each day, week or month, and a column for each of the series, by its name."""
    return Table("Over time", (step, *series), tuple(zip(labels, *series.values(), strict=True)))


def share(part: float, whole: float) -> float | None:
    """None where there is nothing to have a share of."""
    return part / whole if whole else None


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def bars(labels: Sequence[str], values: Sequence[float | Decimal | None], figures: Sequence[str]) -> tuple[Bar, ...]:
    """The tallest fills the picture; nothing at all draws no bar."""
    known = [float(value or 0) for value in values]
    tallest = max(known, default=0) or 1
    return tuple(
        Bar(label, value / tallest, figure) for label, value, figure in zip(labels, known, figures, strict=True)
    )


def shares(labels: Sequence[str], values: Sequence[float | None]) -> tuple[Bar, ...]:
    """Bars of percents: a full bar is all of it, or the tallest where one is over 100."""
    top = max([1.0, *(value or 0 for value in values)])
    return tuple(Bar(label, (value or 0) / top, percent(value)) for label, value in zip(labels, values, strict=True))
