"""bench/run after the build: measures, prints the table, writes the files that are asked for."""

import argparse
import os
import sys
from pathlib import Path

import against
import builds
import comparison
from measure import measure_cell
from peers import BUILD, PEERS, of_tine, with_bases
from report import Report
from work import CELLS

AGAINST = """\
With --against, tine's rows of two builds are measured in turn, and those that are below 0.97 twice more: a
row has fallen if all three runs show it. BUILD is a commit, which is built in build/against, or the build
folder of another checkout:

  git worktree add ../before REV
  (cd ../before && cmake/install-dependencies bench && cmake --preset bench && cmake --build --preset bench)
  bench/run --against ../before/build/bench

Exit status: 0 if no row has fallen; 1 if one has, or could not be measured; 2 if BUILD is none; 3 if the
machine was not quiet enough to say.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measures tine and its peers.",
        epilog=AGAINST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="rough figures, within two minutes")
    parser.add_argument("--rounds", type=int, help="how often each runs; the median counts (5)")
    parser.add_argument("--seconds", type=float, help="how long each runs, about (0.5)")
    parser.add_argument("--work", type=names, help="only these works, or cells: w2,w3.kept")
    parser.add_argument("--peers", type=names, help="only these peers: node,tine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the chart")
    parser.add_argument("--update", action="store_true", help="write the table of RESULTS.md")
    parser.add_argument(
        "--against", metavar="BUILD", help="compare with another build of tine: see below"
    )
    arguments = parser.parse_args()
    if arguments.against and (arguments.svg or arguments.update):
        parser.error("--against has no chart, and its figures are not for RESULTS.md")
    if arguments.against and (arguments.rounds or comparison.ROUNDS) < comparison.ROUNDS:
        parser.error(f"--against needs {comparison.ROUNDS} rounds: fewer show nothing")
    arguments.rounds = arguments.rounds or (
        1 if arguments.quick and not arguments.against else comparison.ROUNDS
    )
    arguments.seconds = arguments.seconds or (0.1 if arguments.quick else 0.5)
    return arguments


def names(text):
    return text.split(",")


def chosen(things, wanted, names_of):
    """Returns the things with a name in `wanted`; all of them if `wanted` is None."""
    if wanted is None:
        return list(things)
    known = {name for thing in things for name in names_of(thing)}
    for name in wanted:
        if name not in known:
            builds.refuse(f'there is no "{name}"; there are: {", ".join(sorted(known))}')
    return [thing for thing in things if set(names_of(thing)) & set(wanted)]


def compare(arguments, cells):
    build = builds.other_build(arguments.against)
    layouts = [
        zip(of_tine(builds.laid_out(build, padding)), of_tine(builds.laid_out(BUILD, padding)))
        for padding in builds.PADDINGS
    ]
    pairs = [against.Pair(*first, tuple(more)) for first, *more in zip(*layouts)]
    pairs = chosen(pairs, arguments.peers, lambda pair: [pair.name])
    return against.compare(
        arguments.against, build, cells, pairs, arguments.rounds, arguments.seconds, arguments.json
    )


def main():
    arguments = parse_arguments()
    cells = chosen(CELLS, arguments.work, lambda cell: [cell.name, cell.work])
    if arguments.against:
        sys.exit(compare(arguments, cells))

    peers = with_bases(chosen(PEERS, arguments.peers, lambda peer: [peer.name]), cells)
    missing = {peer.name: why for peer in peers if (why := peer.missing(cells))}
    there = [peer for peer in peers if peer.name not in missing]
    load = os.getloadavg()[0]
    results = {
        cell.name: measure_cell(cell, there, arguments.rounds, arguments.seconds) for cell in cells
    }

    report = Report(cells, peers, missing, results, arguments.rounds, arguments.seconds, load)
    print(report.text())
    if arguments.json:
        report.write_json(arguments.json)
    if arguments.svg:
        report.write_svg(arguments.svg)
    if arguments.update:
        report.update_results()
    lacking = set(arguments.peers or []) & set(missing)
    sys.exit(1 if report.failures or lacking else 0)


main()
