"""The table: a row a peer, a column a figure, with the ratio to Node json of the same run."""

from dataclasses import dataclass

from peers import BASE
from work import FIGURES

# Columns that would make a line longer than this go into a table below.
WIDTH = 110


@dataclass(frozen=True)
class Column:
    cell: object
    figure: str

    @property
    def title(self):
        first = self.figure == self.cell.figures[0]
        unit = FIGURES[self.figure].unit
        return f"{self.cell.title}, {unit}" if first else unit

    def text(self, peer, results):
        figures = results[self.cell.name].get(peer.name)
        if figures is None:
            return "-"
        if isinstance(figures, str):
            return "failed"
        text = short(figures[self.figure])
        ratio = ratio_to_base(self, peer, results)
        return text if ratio is None else f"{text} ({short(ratio)})"


def ratio_to_base(column, peer, results):
    """How many times as good as the base: above 1 is better, whatever the unit. None: cannot be said."""
    if not FIGURES[column.figure].has_ratio:
        return None
    cell = results[column.cell.name]
    base, own = cell.get(BASE.name), cell.get(peer.name)
    if not isinstance(base, dict) or not isinstance(own, dict):
        return None
    base, own = base[column.figure], own[column.figure]
    return base / own if FIGURES[column.figure].less_is_better else own / base


def short(number):
    """Three digits: 7.81 M, 440 k, 57.9, 0.92."""
    for limit, unit in [(1e6, " M"), (1e4, " k")]:
        if number >= limit:
            return short(number / (1e6 if unit == " M" else 1e3)) + unit
    digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f}"


def columns_of(cells):
    return [Column(cell, figure) for cell in cells for figure in cell.figures]


def rows(columns, peers, missing, results):
    """Lists of texts, the titles first. A peer that is missing says why in place of its figures."""
    yield ["", *(column.title for column in columns)]
    for peer in peers:
        if peer.name in missing:
            yield [peer.title, *("missing" for _ in columns)]
        else:
            yield [peer.title, *(column.text(peer, results) for column in columns)]


def tables(cells, peers, missing, results):
    """The rows of each table, as few tables as WIDTH allows."""
    made, columns = [], []
    for cell in cells:
        wider = columns + columns_of([cell])
        taken = list(rows(wider, peers, missing, results))
        if columns and sum(widths(taken)) + 2 * len(wider) > WIDTH:
            made.append(list(rows(columns, peers, missing, results)))
            wider = columns_of([cell])
        columns = wider
    return made + [list(rows(columns, peers, missing, results))]


def without_empty_rows(table):
    """A work that is only for some has no rows for the others."""
    return [table[0]] + [row for row in table[1:] if any(text != "-" for text in row[1:])]


def widths(table):
    return [max(len(row[i]) for row in table) for i in range(len(table[0]))]


def plain(table):
    lines = []
    for row in table:
        name, *texts = (
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths(table)))
        )
        lines.append("  ".join([name, *texts]).rstrip())
    return "\n".join(lines)


def markdown(table):
    lines = [f"| {' | '.join(row)} |" for row in table]
    lines.insert(1, "|---|" + "---:|" * (len(table[0]) - 1))
    return "\n".join(lines)
