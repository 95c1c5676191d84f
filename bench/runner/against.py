"""bench/run --against: measures two builds of tine in one run and says which rows have fallen."""

import json
import os
import statistics
from dataclasses import asdict, dataclass
from itertools import groupby

import builds
import cpu
from comparison import BELOW, CONFIDENCE, RUNS, Comparison, noises, typical_spread
from measure import Failure, NoProgram, count_for, progress, run
from peers import Peer
from report import write
from table import plain, short
from work import FIGURES

# Exit statuses.
ALL_WELL, FALLEN_OR_FAILED, NOT_QUIET = 0, 1, 3


@dataclass(frozen=True)
class Pair:
    """The same peer in both builds, and in other layouts of them, which the rounds use in turn."""

    before: Peer
    after: Peer
    more: tuple = ()  # ((before, after), ...)

    def in_round(self, number):
        """Returns {build: peer}."""
        layouts = [(self.before, self.after), *self.more]
        before, after = layouts[number % len(layouts)]
        return {"before": before, "after": after}

    @property
    def name(self):
        return self.after.name


class Lacking(Exception):
    """The build before does not know this work."""


class Against:
    """Measures pairs until each row has a verdict."""

    def __init__(self, cells, pairs, rounds, seconds, run=run):
        self.tasks = [(cell, pair) for cell in cells for pair in pairs if pair.after.takes_part(cell)]
        self.rounds = rounds
        self.seconds = seconds
        self.run = run
        self.counts = {}
        self.rows = {}  # {(cell, pair, figure): Comparison}, by their names
        self.failures = []
        self.left_out = []

    def measure(self):
        tasks = self.tasks
        for number in range(1, RUNS + 1):
            self.measure_once(tasks, f"run {number}, " if number > 1 else "")
            tasks = [task for task in tasks if self.needs_another_run(*task)]

    def needs_another_run(self, cell, pair):
        rows = [self.rows.get((cell.name, pair.name, figure)) for figure in figures_of(cell)]
        return any(row and row.needs_another_run for row in rows)

    def measure_once(self, tasks, what):
        for _, of_cell in groupby(tasks, key=lambda task: task[0].name):
            of_cell = list(of_cell)
            self.measure_cell(of_cell[0][0], [pair for _, pair in of_cell], what)

    def measure_cell(self, cell, pairs, what):
        """Measures round by round over all pairs: then a busy machine affects all of them alike."""
        rounds = {pair.name: [] for pair in pairs}
        for number in range(self.rounds):
            progress(f"{what}{cell.title}: round {number + 1} of {self.rounds}")
            for pair in pairs:
                if pair.name in rounds and not self.add_round(cell, pair, number, rounds[pair.name]):
                    del rounds[pair.name]
        progress("")
        for pair in rounds:
            for figure in figures_of(cell):
                row = Comparison(FIGURES[figure].less_is_better)
                row = self.rows.setdefault((cell.name, pair, figure), row)
                row.runs.append([round_[figure] for round_ in rounds[pair]])

    def add_round(self, cell, pair, number, rounds):
        """Measures one round of a pair. Returns whether that was possible."""
        try:
            rounds.append(self.round(cell, pair, number))
            return True
        except Failure as failure:
            self.failures.append(str(failure))
        except Lacking:
            self.left_out.append(f"{pair.name}, {cell.name}: the build before does not measure it")
        return False

    def round(self, cell, pair, number):
        """Returns {figure: (before, after)}.

        The builds run in the order ABBA, in the next round BAAB. So a cost that grows evenly with
        time, or that the first run of a round has, falls on both builds alike."""
        count = self.count_for(cell, pair)
        A, B = ("before", "after") if number % 2 == 0 else ("after", "before")
        peers = pair.in_round(number)
        runs = {A: [], B: []}
        for _ in range(cell.runs):
            for build in (A, B, B, A):
                runs[build].append(self.run(peers[build], cell, count))
        both = {
            figure: tuple(median(figure, runs[build]) for build in ("before", "after"))
            for figure in figures_of(cell)
        }
        for figure, (before, after) in both.items():
            if after is None:
                raise Failure(f"{pair.name}, {cell.name}: there is no {figure}")
            if before is None:
                raise Lacking
        return both

    def count_for(self, cell, pair):
        """Returns a count, the same for both builds, and warms both up."""
        key = cell.name, pair.name
        if key not in self.counts:
            try:
                self.counts[key] = count_for(pair.before, cell, self.seconds, self.run)
            except NoProgram:
                raise Lacking
            self.run(pair.after, cell, self.counts[key])
        return self.counts[key]


def figures_of(cell):
    """Returns the figures that have a ratio. The others depend on the machine's noise too much."""
    return [figure for figure in cell.figures if FIGURES[figure].has_ratio]


def median(figure, runs):
    """Returns None if there is no such figure. A build that does not know a work prints none for
    it, or null, which is JSON's way to write NaN."""
    try:
        values = [FIGURES[figure].value(each) for each in runs]
    except KeyError:
        return None
    return None if None in values else statistics.median(values)


def table(rows, cells, pairs):
    """Yields lists of texts, the titles first."""
    cells, pairs = {cell.name: cell for cell in cells}, {pair.name: pair for pair in pairs}
    yield ["", "before", "after", "ratio", "from", "to", "A/A", "verdict"]
    for (cell, pair, figure), row in rows.items():
        low, high = row.interval
        yield [
            f"{cells[cell].title}, {FIGURES[figure].unit}: {pairs[pair].after.title}",
            short(row.before),
            short(row.after),
            *(f"{ratio:.3f}" for ratio in (row.ratio, low, high)),
            f"{row.spread:.0%}",
            row.verdict,
        ]


def repeated(rows):
    """Returns a sentence with the ratio of each run, for each row that was measured again."""
    return [
        f"{cell}, {pair}, {figure}: "
        + ", ".join(f"{ratio:.3f}" for ratio in row.ratio_of_runs)
        + f": {row.verdict}"
        for (cell, pair, figure), row in rows.items()
        if len(row.runs) > 1
    ]


def of_each_verdict(rows):
    verdicts = [row.verdict for row in rows.values()]
    return ", ".join(
        f"{verdicts.count(verdict)} {verdict}" for verdict in ("fallen", "risen", "same", "unsure")
    )


def heading(name, rounds, seconds):
    return (
        f"Before: {name}. After: this build. {rounds} rounds of about {seconds:g} s each, of both in turn.\n"
        f"Ratios are after to before, above 1 is better; the true one is from … to …, with {CONFIDENCE:.0%} "
        f"confidence.\n"
        f"Each round has programs of another layout. A/A: how far the rounds of the build before are apart.\n"
        f"Fallen: below {BELOW} in {RUNS} runs."
    )


def status(failures, noise, rows):
    """Returns the exit status. On a busy machine a failure still counts, but no row has fallen."""
    if failures:
        return FALLEN_OR_FAILED
    if noise:
        return NOT_QUIET
    return FALLEN_OR_FAILED if any(row.verdict == "fallen" for row in rows.values()) else ALL_WELL


def compare(name, build, cells, pairs, rounds, seconds, json_file):
    """Measures, prints, and writes the JSON if it is asked for. Returns the exit status."""
    missing = {pair.name: why for pair in pairs if (why := pair.before.missing(cells) or pair.after.missing(cells))}
    there = [pair for pair in pairs if pair.name not in missing]

    def run_and_reap(*what):
        try:
            return run(*what)
        finally:
            cpu.reap_orphans()

    cpu.adopt_orphans()
    against = Against(cells, there, rounds, seconds, run_and_reap)
    load, began = os.getloadavg()[0], cpu.Usage.now()
    against.measure()
    ended, load_after = cpu.Usage.now(), os.getloadavg()[0]
    rows = against.rows
    if not rows:
        against.failures.append("no row could be measured")

    others, stolen = ended.cores_of_others(began), ended.stolen_part(began)
    apart = typical_spread(rows.values()) if rows else 0
    noise = noises(others, stolen, apart)

    notes = [f"note: {difference}" for difference in builds.differences(build)]
    notes += [f"missing: {peer}: {why}" for peer, why in missing.items()]
    notes += [f"left out: {each}" for each in against.left_out]
    notes += [f"failed: {failure}" for failure in against.failures]
    quiet = (
        f"The load was {load:.1f} when it began and {load_after:.1f} at the end. "
        f"Meanwhile other processes used {others:.2f} cores,\nthe host took {stolen:.1%}, "
        f"and the rounds of one build were {apart:.0%} apart in the median row"
    )
    if noise:
        quiet += ".\n\nTHE MACHINE WAS NOT QUIET, and these figures say nothing:\n" + "\n".join(noise)
    else:
        quiet += ": the machine was quiet."
    again = repeated(rows)
    parts = [
        heading(name, rounds, seconds),
        plain(list(table(rows, cells, there))),
        "\n".join([f"Measured again, the ratio of each run (fallen if all are below {BELOW}):", *again])
        if again
        else "",
        "\n".join(notes),
        quiet,
        of_each_verdict(rows),
    ]
    print("\n\n".join(part for part in parts if part))
    if json_file:
        write(json_file, as_json(rows, name, rounds, seconds, noise, began, ended))
    return status(against.failures, noise, rows)


def as_json(rows, name, rounds, seconds, noise, began, ended):
    return (
        json.dumps(
            {
                "before": name,
                "rounds": rounds,
                "seconds": seconds,
                "noise": noise,
                "cpu": {"began": asdict(began), "ended": asdict(ended)},
                "rows": [
                    {
                        "cell": cell,
                        "peer": pair,
                        "figure": figure,
                        "ratio": row.ratio,
                        "interval": row.interval,
                        "spread": row.spread,
                        "verdict": row.verdict,
                        "runs": row.runs,
                    }
                    for (cell, pair, figure), row in rows.items()
                ],
            },
            indent=2,
        )
        + "\n"
    )
