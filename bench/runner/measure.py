"""Runs peers, round by round over all of them: then a busy machine affects all of them alike."""

import json
import os
import shutil
import statistics
import subprocess
import sys

from peers import PACKAGES
from work import FIGURES

# NODE_PATH is where scripts find the packages that install_runtimes has installed.
ENVIRONMENT = {"NO_COLOR": "1", "NODE_PATH": str(PACKAGES)}

# Longer than any run. A peer that hangs is a failure, not the end of the benchmark.
DEADLINE = 120


class Failure(Exception):
    pass


class NoProgram(Failure):
    """There is no program that does the work."""


def run(peer, cell, count):
    """Runs a peer once and returns its figures."""
    command = peer.command(cell, count)
    if not shutil.which(command[0]):
        raise NoProgram(f"{peer.name}, {cell.name}: there is no {command[0]}")
    if cell.cores:
        command = ["taskset", "-c", str(cell.cores[0]), *command]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, env=os.environ | ENVIRONMENT
        )
        if done.returncode == 0:
            return json.loads(done.stdout.splitlines()[-1])
        why = f"exit code {done.returncode}: {done.stderr.strip()[:300]}"
    except subprocess.TimeoutExpired:
        why = f"not done after {DEADLINE} s"
    except (IndexError, ValueError):
        why = "no figures came out of it"
    raise Failure(f"{peer.name}, {cell.name}: {why}")


def count_for(peer, cell, seconds, run=run):
    """Returns how many messages keep a peer busy for about that long. This also warms it up."""
    if not cell.has_messages:
        return 0
    count = 1 if cell.payload else 2 if cell.array else 100 if cell.work_us else 1000 // cell.children
    took = run(peer, cell, count)["seconds"]
    # The first messages take longer than later ones, so a count that few of them suggest is too
    # small.
    while took < seconds / 3:
        count = max(count + 1, round(count * min(seconds / took, 1000)))
        took = run(peer, cell, count)["seconds"]
    return max(1, round(count * seconds / took))


def measure_cell(cell, peers, rounds, seconds):
    """Returns {peer: its figures, or why there are none}."""
    peers = [peer for peer in peers if peer.takes_part(cell)]
    counts, runs, failures = {}, {}, {}
    for round_ in range(rounds):
        progress(f"{cell.title}: round {round_ + 1} of {rounds}")
        for peer in peers:
            if peer.name in failures:
                continue
            try:
                if peer.name not in counts:
                    counts[peer.name] = count_for(peer, cell, seconds)
                for _ in range(cell.runs):
                    runs.setdefault(peer.name, []).append(run(peer, cell, counts[peer.name]))
            except Failure as failure:
                failures[peer.name] = str(failure)
    progress("")
    return {name: medians(cell, runs[name]) for name in runs if name not in failures} | failures


def medians(cell, runs):
    """Returns {figure: its median over the runs}."""
    return {
        name: statistics.median(FIGURES[name].value(figures) for figures in runs)
        for name in cell.figures
    }


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
