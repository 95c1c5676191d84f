"""Compares the figures of two builds. Nothing here measures anything."""

import statistics
from dataclasses import dataclass, field
from math import comb

# A row has fallen only if each of RUNS runs, with at least ROUNDS rounds, shows it below BELOW.
BELOW = 0.97
ROUNDS = 5
RUNS = 3

# The confidence that an interval contains the true ratio. Five rounds are enough for this much.
CONFIDENCE = 0.9

# The limits that a quiet machine stays within.
MOST_CORES_OF_OTHERS = 0.1
MOST_STOLEN = 0.01
MOST_SPREAD = 0.1


def gain(before, after, less_is_better):
    """Returns how many times as good `after` is as `before`: above 1 is better in any unit."""
    return before / after if less_is_better else after / before


def interval(values):
    """Returns (low, high): the confidence interval of the median of such values.

    They are the nth smallest and the nth largest value, with n by the sign test. This test assumes
    nothing about the distribution of the noise, and a machine's noise is not normal. If there are
    too few values to leave any out, the interval spans all.
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
    """Returns how far the rounds of one build are apart, as a fraction of their median."""
    return (max(values) - min(values)) / statistics.median(values)


@dataclass
class Comparison:
    """A row: the figures of the two builds in each round of each run."""

    less_is_better: bool = False
    runs: list = field(default_factory=list)  # [[(before, after) of a round, ...] of a run, ...]

    def ratios(self, run):
        """Returns the ratio of each round. Its figures are neighbours in time, so that what slows
        the machine slows both."""
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
        """The spread of the build before within its first run. Across all runs, a run that was slow
        as a whole would increase it."""
        return spread([before for before, _ in self.runs[0]])

    @property
    def is_below(self):
        """Whether all runs so far show the row below."""
        return all(ratio < BELOW for ratio in self.ratio_of_runs)

    @property
    def needs_another_run(self):
        return self.is_below and len(self.runs) < RUNS

    @property
    def verdict(self):
        """One of fallen, risen, same and unsure.

        Three runs may be below only by noise. Then the interval reaches 1 too, and the row has not
        fallen. A row whose interval holds a fall as well as a rise is unsure, not the same.
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
    """Returns the spread of the median row, because some work is noisy on any machine."""
    return statistics.median(comparison.spread for comparison in comparisons)


def noises(cores_of_others, stolen, spread_):
    """Returns why the machine was not quiet, as sentences; none if it was."""
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
