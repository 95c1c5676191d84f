"""What the figures of two builds say about each other. Nothing here measures anything."""

import statistics
from dataclasses import dataclass, field
from math import comb

# A row has fallen only if each of so many runs, of so many rounds at least, shows it below this.
BELOW = 0.97
ROUNDS = 5
RUNS = 3

# How sure an interval is to have the true ratio in it: five rounds can say that much.
CONFIDENCE = 0.9

# What a quiet machine stays within.
MOST_CORES_OF_OTHERS = 0.1
MOST_STOLEN = 0.01
MOST_SPREAD = 0.1


def gain(before, after, less_is_better):
    """How many times as good it is after as it was before: above 1 is better, whatever the unit."""
    return before / after if less_is_better else after / before


def interval(values):
    """(low, high), which the median of endlessly many such values lies between.

    From the nth smallest to the nth largest, n by the sign test: it asks nothing of how noise is distributed,
    and that of a machine is not normal. All values, where they are too few to leave any out.
    """
    ordered = sorted(values)
    left_out, tail = 0, 1 / 2 ** len(ordered)
    while left_out < len(ordered) // 2:
        tail += comb(len(ordered), left_out + 1) / 2 ** len(ordered)
        if 2 * tail > 1 - CONFIDENCE:
            break
        left_out += 1
    return ordered[left_out], ordered[-1 - left_out]


def spread(values):
    """How far the rounds of one build are from each other, as a part of their median."""
    return (max(values) - min(values)) / statistics.median(values)


@dataclass
class Comparison:
    """A row: what the two builds did in each round of each run."""

    less_is_better: bool = False
    runs: list = field(default_factory=list)  # [[(before, after) of a round, ...] of a run, ...]

    def ratios(self, run):
        """Each of two neighbours in time, so that what slows the machine slows both."""
        return [gain(before, after, self.less_is_better) for before, after in run]

    @property
    def all_ratios(self):
        return [ratio for run in self.runs for ratio in self.ratios(run)]

    @property
    def before(self):
        return statistics.median(before for run in self.runs for before, _ in run)

    @property
    def after(self):
        return statistics.median(after for run in self.runs for _, after in run)

    @property
    def ratio(self):
        return statistics.median(self.all_ratios)

    @property
    def interval(self):
        return interval(self.all_ratios)

    @property
    def ratio_of_runs(self):
        return [statistics.median(self.ratios(run)) for run in self.runs]

    @property
    def spread(self):
        """Of the build before, in the first run: of a run that was slow as a whole the others say nothing."""
        return spread([before for before, _ in self.runs[0]])

    @property
    def is_below(self):
        """Whether all runs that there are show it below."""
        return all(ratio < BELOW for ratio in self.ratio_of_runs)

    @property
    def needs_another_run(self):
        return self.is_below and len(self.runs) < RUNS

    @property
    def verdict(self):
        """fallen, risen, same or unsure.

        Three runs may be below for no reason but noise, which then reaches 1 as well: such a row is not said
        to have fallen. Nor is one said to be the same that could be below as well as above.
        """
        low, high = self.interval
        if self.is_below and len(self.runs) >= RUNS and high < 1:
            return "fallen"
        if self.ratio < BELOW or (low < BELOW and high > 1 / BELOW):
            return "unsure"
        if self.ratio > 1 / BELOW and low > 1:
            return "risen"
        return "same"


def typical_spread(comparisons):
    """That of the median row: some kinds of work are noisy on any machine."""
    return statistics.median(comparison.spread for comparison in comparisons)


def noises(cores_of_others, stolen, spread_):
    """Why the machine was not quiet, as sentences; none if it was."""
    found = []
    if cores_of_others > MOST_CORES_OF_OTHERS:
        found.append(
            f"other processes used {cores_of_others:.2f} cores, more than {MOST_CORES_OF_OTHERS:g}"
        )
    if stolen > MOST_STOLEN:
        found.append(f"the host took {stolen:.1%} of the time, more than {MOST_STOLEN:.0%}")
    if spread_ > MOST_SPREAD:
        found.append(
            f"rounds of the same build are {spread_:.0%} apart in the median row, more than {MOST_SPREAD:.0%}"
        )
    return found
