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
    def test_more_than_before_is_better_of_a_rate(self):
        self.assertEqual(gain(100, 110, less_is_better=False), 1.1)

    def test_less_than_before_is_better_of_a_time(self):
        self.assertEqual(gain(110, 100, less_is_better=True), 1.1)


class Interval(unittest.TestCase):
    def test_five_rounds_leave_none_out(self):
        self.assertEqual(interval([5, 1, 3, 2, 4]), (1, 5))

    def test_of_fifteen_the_three_outermost_are_left_out(self):
        self.assertEqual(interval(range(1, 16)), (4, 12))

    def test_of_eight_and_ten_the_outermost_are_left_out(self):
        self.assertEqual(interval(range(1, 8)), (1, 7))
        self.assertEqual(interval(range(1, 9)), (2, 7))
        self.assertEqual(interval(range(1, 11)), (2, 9))

    def test_few_values_span_all(self):
        self.assertEqual(interval([7]), (7, 7))
        self.assertEqual(interval([2, 1]), (1, 2))


class Spread(unittest.TestCase):
    def test_is_a_part_of_the_median(self):
        self.assertAlmostEqual(spread([90, 100, 110]), 0.2)

    def test_of_a_row_is_that_of_the_build_before_in_its_first_run(self):
        row = Comparison(runs=[[(90, 1), (100, 2), (110, 3)], [(1, 1), (100, 1), (900, 1)]])
        self.assertAlmostEqual(row.spread, 0.2)

    def test_typical_is_the_median_row(self):
        rows = [Comparison(runs=[[(100, 1), (100 + more, 1)]]) for more in (0, 10, 500)]
        self.assertAlmostEqual(typical_spread(rows), 10 / 105)


class Verdict(unittest.TestCase):
    def verdict(self, *runs):
        return Comparison(runs=[run_of(*ratios) for ratios in runs]).verdict

    def test_fallen_takes_three_runs_that_are_below(self):
        self.assertEqual(self.verdict(SLOWER, SLOWER, SLOWER), "fallen")

    def test_one_run_or_two_do_not_say_fallen(self):
        self.assertEqual(self.verdict(SLOWER), "unsure")
        self.assertEqual(self.verdict(SLOWER, SLOWER), "unsure")

    def test_one_run_that_is_not_below_is_enough_against_fallen(self):
        self.assertEqual(self.verdict(SLOWER, SLOWER, STEADY), "unsure")
        self.assertEqual(self.verdict(SLOWER, STEADY), "same")

    def test_three_runs_that_are_below_by_noise_are_unsure(self):
        self.assertEqual(self.verdict(NOISY_BELOW, NOISY_BELOW, NOISY_BELOW), "unsure")

    def test_just_below_is_fallen_and_just_not_is_the_same(self):
        self.assertEqual(self.verdict(*[[0.969] * 5] * 3), "fallen")
        self.assertEqual(self.verdict([0.97] * 5), "same")

    def test_risen(self):
        self.assertEqual(self.verdict(FASTER), "risen")

    def test_above_by_noise_that_reaches_1_has_not_risen(self):
        self.assertEqual(self.verdict((0.98, 1.04, 1.05, 1.06, 1.2)), "same")

    def test_same(self):
        self.assertEqual(self.verdict(STEADY), "same")

    def test_what_may_be_below_as_well_as_above_is_unsure(self):
        self.assertEqual(self.verdict((0.9, 0.99, 1.0, 1.01, 1.1)), "unsure")
        self.assertEqual(self.verdict((0.9, 1.04, 1.05, 1.06, 1.2)), "unsure")

    def test_of_times_less_is_better(self):
        longer = [(100, 110)] * 5
        self.assertEqual(Comparison(less_is_better=True, runs=[longer] * 3).verdict, "fallen")
        self.assertEqual(Comparison(less_is_better=False, runs=[longer]).verdict, "risen")

    def test_neighbours_in_time_are_compared(self):
        slowing_down = [(100, 100), (80, 80), (60, 60), (40, 40), (20, 20)]
        self.assertEqual(Comparison(runs=[slowing_down]).verdict, "same")
        self.assertEqual(Comparison(runs=[slowing_down]).ratio, 1)


class AnotherRun(unittest.TestCase):
    def needs(self, *runs):
        return Comparison(runs=[run_of(*ratios) for ratios in runs]).needs_another_run

    def test_as_long_as_all_are_below(self):
        self.assertTrue(self.needs(SLOWER))
        self.assertTrue(self.needs(NOISY_BELOW, SLOWER))
        self.assertFalse(self.needs(SLOWER, STEADY))
        self.assertFalse(self.needs(STEADY))

    def test_not_after_three(self):
        self.assertFalse(self.needs(SLOWER, SLOWER, SLOWER))


class Noises(unittest.TestCase):
    def test_none_on_a_quiet_machine(self):
        self.assertEqual(noises(cores_of_others=0.05, stolen=0.001, spread_=0.05), [])

    def test_each_is_enough(self):
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
