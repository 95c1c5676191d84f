import unittest

from comparison import Comparison, gain, interval, noises, spread, typical_spread


def run_of(*ratios):
    """Returns a run whose rounds have these ratios."""
    return [(100, 100 * ratio) for ratio in ratios]


STEADY = (0.99, 1.0, 1.0, 1.0, 1.01)
SLOWER = (0.94, 0.95, 0.95, 0.95, 0.96)
FASTER = (1.04, 1.05, 1.05, 1.05, 1.06)
NOISY_BELOW = (0.5, 0.95, 0.96, 1.3, 1.4)


class Gain(unittest.TestCase):
    def test_a_higher_rate_is_better(self):
        self.assertEqual(gain(100, 110, less_is_better=False), 1.1)

    def test_a_lower_time_is_better(self):
        self.assertEqual(gain(110, 100, less_is_better=True), 1.1)


class Interval(unittest.TestCase):
    def test_of_five_values_none_is_left_out(self):
        self.assertEqual(interval([5, 1, 3, 2, 4]), (1, 5))

    def test_of_fifteen_values_three_at_each_end_are_left_out(self):
        self.assertEqual(interval(range(1, 16)), (4, 12))

    def test_of_eight_to_ten_values_one_at_each_end_is_left_out(self):
        self.assertEqual(interval(range(1, 8)), (1, 7))
        self.assertEqual(interval(range(1, 9)), (2, 7))
        self.assertEqual(interval(range(1, 11)), (2, 9))

    def test_of_one_or_two_values_none_is_left_out(self):
        self.assertEqual(interval([7]), (7, 7))
        self.assertEqual(interval([2, 1]), (1, 2))


class Spread(unittest.TestCase):
    def test_spread_is_a_fraction_of_the_median(self):
        self.assertAlmostEqual(spread([90, 100, 110]), 0.2)

    def test_a_row_has_the_spread_of_the_first_run_of_the_build_before(self):
        row = Comparison(runs=[[(90, 1), (100, 2), (110, 3)], [(1, 1), (100, 1), (900, 1)]])
        self.assertAlmostEqual(row.spread, 0.2)

    def test_typical_spread_is_that_of_the_median_row(self):
        rows = [Comparison(runs=[[(100, 1), (100 + more, 1)]]) for more in (0, 10, 500)]
        self.assertAlmostEqual(typical_spread(rows), 10 / 105)


class Verdict(unittest.TestCase):
    def verdict(self, *runs):
        return Comparison(runs=[run_of(*ratios) for ratios in runs]).verdict

    def test_a_row_that_is_below_in_three_runs_has_fallen(self):
        self.assertEqual(self.verdict(SLOWER, SLOWER, SLOWER), "fallen")

    def test_a_row_that_is_below_in_one_or_two_runs_has_not_fallen(self):
        self.assertEqual(self.verdict(SLOWER), "unsure")
        self.assertEqual(self.verdict(SLOWER, SLOWER), "unsure")

    def test_a_row_that_is_not_below_in_one_of_its_runs_has_not_fallen(self):
        self.assertEqual(self.verdict(SLOWER, SLOWER, STEADY), "unsure")
        self.assertEqual(self.verdict(SLOWER, STEADY), "same")

    def test_a_noisy_row_that_is_below_in_three_runs_is_unsure(self):
        self.assertEqual(self.verdict(NOISY_BELOW, NOISY_BELOW, NOISY_BELOW), "unsure")

    def test_a_row_just_below_has_fallen_and_a_row_at_the_limit_is_the_same(self):
        self.assertEqual(self.verdict(*[[0.969] * 5] * 3), "fallen")
        self.assertEqual(self.verdict([0.97] * 5), "same")

    def test_risen(self):
        self.assertEqual(self.verdict(FASTER), "risen")

    def test_a_noisy_row_whose_interval_reaches_1_has_not_risen(self):
        self.assertEqual(self.verdict((0.98, 1.04, 1.05, 1.06, 1.2)), "same")

    def test_same(self):
        self.assertEqual(self.verdict(STEADY), "same")

    def test_a_row_that_may_be_below_or_above_is_unsure(self):
        self.assertEqual(self.verdict((0.9, 0.99, 1.0, 1.01, 1.1)), "unsure")
        self.assertEqual(self.verdict((0.9, 1.04, 1.05, 1.06, 1.2)), "unsure")

    def test_longer_times_are_worse(self):
        longer = [(100, 110)] * 5
        self.assertEqual(Comparison(less_is_better=True, runs=[longer] * 3).verdict, "fallen")
        self.assertEqual(Comparison(less_is_better=False, runs=[longer]).verdict, "risen")

    def test_figures_of_the_same_round_are_compared(self):
        slowing_down = [(100, 100), (80, 80), (60, 60), (40, 40), (20, 20)]
        self.assertEqual(Comparison(runs=[slowing_down]).verdict, "same")
        self.assertEqual(Comparison(runs=[slowing_down]).ratio, 1)


class AnotherRun(unittest.TestCase):
    def needs(self, *runs):
        return Comparison(runs=[run_of(*ratios) for ratios in runs]).needs_another_run

    def test_is_needed_as_long_as_all_runs_are_below(self):
        self.assertTrue(self.needs(SLOWER))
        self.assertTrue(self.needs(NOISY_BELOW, SLOWER))
        self.assertFalse(self.needs(SLOWER, STEADY))
        self.assertFalse(self.needs(STEADY))

    def test_is_not_needed_after_three_runs(self):
        self.assertFalse(self.needs(SLOWER, SLOWER, SLOWER))


class Noises(unittest.TestCase):
    def test_none_on_a_quiet_machine(self):
        self.assertEqual(noises(cores_of_others=0.05, stolen=0.001, spread_=0.05), [])

    def test_each_kind_of_noise_is_reported(self):
        for others, stolen, apart, word in [
            (0.5, 0, 0, "other processes"),
            (0, 0.05, 0, "host"),
            (0, 0, 0.3, "rounds"),
        ]:
            with self.subTest(word):
                (noise,) = noises(others, stolen, apart)
                self.assertIn(word, noise)


if __name__ == "__main__":
    unittest.main()
