"""The table: a row for each peer, a column for each figure, with ratios to the figures of a cell's base."""

from dataclasses import dataclass

from work import FIGURES

# Columns that would make a line longer than this go into a table below.
WIDTH = 110
BETWEEN = "  "


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
    """Returns how many times as good as the base a peer is: above 1 is better, whatever the unit.
    None if a figure is missing."""
    if not FIGURES[column.figure].has_ratio:
        return None
    cell = results[column.cell.name]
    base, own = cell.get(column.cell.base), cell.get(peer.name)
    if not isinstance(base, dict) or not isinstance(own, dict):
        return None
    base, own = base[column.figure], own[column.figure]
    return base / own if FIGURES[column.figure].less_is_better else own / base


def short(number):
    """Writes a number with three digits: 7.81 M, 440 k, 57.9, 0.92. Numbers from 1 000 to 10 000
    have four, because they read better without a unit."""
    if number >= 1e6:
        return short(number / 1e6) + " M"
    if number >= 1e4:
        return short(number / 1e3) + " k"
    digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f}"


def rows(columns, peers, missing, results):
    """Yields lists of texts, the titles first."""
    yield ["", *(column.title for column in columns)]
    for peer in peers:
        if peer.name in missing:
            yield [peer.title, *("missing" for _ in columns)]
        else:
            yield [peer.title, *(column.text(peer, results) for column in columns)]


def tables(cells, peers, missing, results):
    """Returns the rows of each table, in as few tables as WIDTH allows. The columns of a cell stay
    together."""

    def table(columns):
        return list(rows(columns, peers, missing, results))

    made, columns = [], []
    for cell in cells:
        own = [Column(cell, figure) for figure in cell.figures]
        if columns and length_of_line(table(columns + own)) > WIDTH:
            made.append(table(columns))
            columns = []
        columns = columns + own
    return [without_empty_rows(each) for each in [*made, table(columns)]]


def without_empty_rows(table):
    """Leaves out peers without figures: some work is only for some peers."""
    return [table[0]] + [row for row in table[1:] if any(text != "-" for text in row[1:])]


def widths(table):
    return [max(len(row[i]) for row in table) for i in range(len(table[0]))]


def length_of_line(table):
    return sum(widths(table)) + len(BETWEEN) * (len(table[0]) - 1)


def plain(table):
    """Aligns a table, the names to the left and the figures to the right."""
    name_width, *figure_widths = widths(table)
    return "\n".join(
        BETWEEN.join([name.ljust(name_width), *map(str.rjust, figures, figure_widths)])
        for name, *figures in table
    )


def markdown(table):
    lines = [f"| {' | '.join(row)} |" for row in table]
    lines.insert(1, "|---|" + "---:|" * (len(table[0]) - 1))
    return "\n".join(lines)
