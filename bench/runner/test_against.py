"""Tests --against: its rules with made-up figures, and the program with real ones."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from against import Against, Pair, repeated, status, table
from measure import Failure, NoProgram
from peers import BUILD, Peer
from work import Cell

RATE = Cell("rate", "Rate", ["rate"], window=1, shape="hello")
LATENCY = Cell("latency", "Latency", ["p50_us", "p99_us"], window=1, shape="hello")


def pair(name):
    return Pair(Peer(name, name, ["before"], "child"), Peer(name, name, ["after"], "child"))


class Machine:
    """A machine that runs peers. `seconds` has the time that each takes, by its name and build."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.figures = {}  # {build: the figures that it prints instead of latencies}
        self.ran = []

    def run(self, peer, cell, count):
        name = peer.name, peer.parent[0]
        seconds = self.seconds[name]
        self.ran.append(name)
        if callable(seconds):
            seconds = seconds()
        latencies = {"p50_us": seconds, "p99_us": seconds}
        figures = {"messages": count, "seconds": count * seconds}
        return figures | self.figures.get(peer.parent[0], latencies)

    def against(self, *cells, peers=("a",)):
        against = Against(cells, [pair(name) for name in peers], rounds=5, seconds=1, run=self.run)
        against.measure()
        return against


def alike(**seconds):
    return {(name, build): took for name, took in seconds.items() for build in ("before", "after")}


def alternately(*seconds):
    """Returns a function that gives the seconds of each run: the first value for the warm-up, then
    each value for five rounds with two runs each."""
    calls = iter([seconds[0]] + [took for took in seconds for _ in range(10)])
    return lambda: next(calls)


class Measuring(unittest.TestCase):
    def test_builds_take_turns_and_none_is_always_first(self):
        machine = Machine(alike(a=0.001))
        machine.against(RATE)
        measured = "".join(build[0] for _, build in machine.ran[-20:])
        self.assertEqual(measured, "baab" + "abba" + "baab" + "abba" + "baab")

    def test_peers_take_turns_in_a_round(self):
        machine = Machine(alike(a=0.001, b=0.001))
        machine.against(RATE, peers=["a", "b"])
        self.assertEqual("".join(name for name, _ in machine.ran[-16:]), "aaaabbbb" * 2)

    def test_each_round_has_the_next_layout(self):
        peers = [Peer("a", "a", [layout], "child") for layout in ("1", "2", "3", "4")]
        machine = Machine({("a", layout): 0.001 for layout in "1234"})
        Against([RATE], [Pair(peers[0], peers[1], ((peers[2], peers[3]),))], 5, 1, machine.run).measure()
        measured = "".join(layout for _, layout in machine.ran[-20:])
        self.assertEqual(measured, "1221" + "4334" + "1221" + "4334" + "1221")

    def test_a_row_that_is_not_below_is_measured_once(self):
        against = Machine(alike(a=0.001)).against(RATE)
        (row,) = against.rows.values()
        self.assertEqual([len(run) for run in row.runs], [5])
        self.assertEqual(row.verdict, "same")

    def test_a_slower_build_falls_after_three_runs_and_others_are_not_measured_again(self):
        machine = Machine(alike(a=0.001, b=0.001) | {("b", "after"): 0.0011})
        against = machine.against(RATE, peers=["a", "b"])
        a, b = against.rows["rate", "a", "rate"], against.rows["rate", "b", "rate"]
        self.assertEqual((a.verdict, len(a.runs)), ("same", 1))
        self.assertEqual((b.verdict, len(b.runs)), ("fallen", 3))
        self.assertEqual(repeated(against.rows), ["rate, b, rate: 0.909, 0.909, 0.909: fallen"])

    def test_a_row_that_recovers_in_its_second_run_has_not_fallen(self):
        machine = Machine(alike(a=0.001) | {("a", "after"): alternately(0.0011, 0.001)})
        (row,) = machine.against(RATE).rows.values()
        self.assertEqual(len(row.runs), 2)
        self.assertNotEqual(row.verdict, "fallen")

    def test_a_lower_latency_is_better_and_a_figure_without_ratio_gets_no_row(self):
        machine = Machine(alike(a=0.001) | {("a", "after"): 0.0011})
        against = machine.against(LATENCY)
        self.assertEqual(list(against.rows), [("latency", "a", "p50_us")])
        self.assertEqual(against.rows["latency", "a", "p50_us"].verdict, "fallen")

    def test_the_table_has_a_row_for_each_comparison(self):
        against = Machine(alike(a=0.001) | {("a", "after"): 0.0011}).against(RATE)
        titles, row = table(against.rows, [RATE], [pair("a")])
        self.assertEqual(len(titles), len(row))
        self.assertEqual(row, ["Rate, /s: a", "1000", "909", "0.909", "0.909", "0.909", "0%", "fallen"])

    def test_a_failure_does_not_stop_the_other_peers(self):
        def fail():
            raise Failure("a, rate: exit code 1")

        machine = Machine(alike(b=0.001) | {("a", "before"): 0.001, ("a", "after"): fail})
        against = machine.against(RATE, peers=["a", "b"])
        self.assertEqual(against.failures, ["a, rate: exit code 1"])
        self.assertEqual(list(against.rows), [("rate", "b", "rate")])

    def test_work_that_the_build_before_lacks_is_left_out(self):
        for figures in ({}, {"p50_us": None}):
            with self.subTest(figures=figures):
                machine = Machine(alike(a=0.001))
                machine.figures["before"] = figures
                against = machine.against(LATENCY)
                self.assertEqual((against.rows, against.failures), ({}, []))
                self.assertEqual(against.left_out, ["a, latency: the build before does not measure it"])

    def test_work_that_the_build_before_has_no_program_for_is_left_out(self):
        def fail():
            raise NoProgram("a, rate: there is no parent")

        against = Machine(alike(a=0.001) | {("a", "before"): fail}).against(RATE)
        self.assertEqual((against.rows, against.failures), ({}, []))
        self.assertEqual(against.left_out, ["a, rate: the build before does not measure it"])

    def test_work_that_this_build_lacks_is_a_failure(self):
        machine = Machine(alike(a=0.001))
        machine.figures["after"] = {}
        against = machine.against(LATENCY)
        self.assertEqual((against.rows, against.left_out), ({}, []))
        self.assertEqual(against.failures, ["a, latency: there is no p50_us"])


class Status(unittest.TestCase):
    def rows(self, after):
        return Machine(alike(a=0.001) | {("a", "after"): after}).against(RATE).rows

    def test_none_fallen(self):
        self.assertEqual(status([], [], self.rows(0.001)), 0)

    def test_fallen(self):
        self.assertEqual(status([], [], self.rows(0.0011)), 1)

    def test_fallen_rows_do_not_count_on_a_noisy_machine(self):
        self.assertEqual(status([], ["noise"], self.rows(0.0011)), 3)

    def test_a_failure_counts_on_a_noisy_machine_too(self):
        self.assertEqual(status(["a failed"], ["noise"], self.rows(0.001)), 1)


class Program(unittest.TestCase):
    """Runs with tiny counts: the verdicts are chance, but the list of figures is not."""

    RUNNER = [sys.executable, str(Path(__file__).parent)]

    def run_against(self, build, *options):
        return subprocess.run(
            [*self.RUNNER, "--against", str(build), *options], capture_output=True, text=True, timeout=240
        )

    def test_measures_a_build_against_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "against.json"
            options = "--seconds 0.001 --work w1.one,w5.life,w9.one,w10 --peers tine,one-process --json"
            done = self.run_against(BUILD.parent, *options.split(), str(file))
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)
            self.assertNotIn("failed:", done.stdout)
            self.assertNotIn("left out:", done.stdout)
            written = json.loads(file.read_text())
        self.assertEqual(bool(written["noise"]), "NOT QUIET" in done.stdout)
        self.assertEqual(
            [(row["cell"], row["peer"], row["figure"]) for row in written["rows"]],
            [
                ("w1.one", "tine", "rate"),
                ("w1.one", "tine", "p50_us"),
                ("w5.life", "tine", "life_ms"),
                ("w5.life", "tine", "idle_child_mb"),
                ("w9.one", "tine", "rate"),
                ("w9.one", "one-process", "rate"),
                ("w10", "tine", "p50_us"),
            ],
        )

    def test_refuses_a_folder_without_a_build(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_against(folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("is no build", done.stderr)

    def test_refuses_a_name_that_is_neither_folder_nor_commit(self):
        done = self.run_against("no-such-commit")
        self.assertEqual(done.returncode, 2)
        self.assertIn("neither a folder nor a commit", done.stderr)

    def test_refuses_fewer_than_five_rounds(self):
        done = self.run_against(BUILD.parent, "--rounds", "4")
        self.assertEqual(done.returncode, 2)
        self.assertIn("5 rounds", done.stderr)


if __name__ == "__main__":
    unittest.main()
