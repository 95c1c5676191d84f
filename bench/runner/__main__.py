"""bench/run, once all is built: measures, prints the table, writes what is asked for."""

import argparse
import json
import sys
from pathlib import Path

from measure import measure_cell
from peers import BASE, PEERS
from table import plain, tables, without_empty_rows
from work import CELLS


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures tine and its peers.")
    parser.add_argument("--quick", action="store_true", help="rough figures, within two minutes")
    parser.add_argument("--rounds", type=int, help="how often each runs; the median counts (5)")
    parser.add_argument("--seconds", type=float, help="how long each runs, about (1)")
    parser.add_argument("--work", type=names, help="only these works, or cells: w2,w3.kept")
    parser.add_argument("--peers", type=names, help="only these peers: node,tine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or (0.1 if arguments.quick else 1.0)
    return arguments


def names(text):
    return text.split(",")


def chosen(things, wanted, names_of):
    """The things that have a name that is wanted; all if none is said."""
    if wanted is None:
        return list(things)
    known = {name for thing in things for name in names_of(thing)}
    for name in wanted:
        if name not in known:
            sys.exit(f'bench/run: there is no "{name}"; there are: {", ".join(sorted(known))}')
    return [thing for thing in things if set(names_of(thing)) & set(wanted)]


def main():
    arguments = parse_arguments()
    cells = chosen(CELLS, arguments.work, lambda cell: [cell.name, cell.work])
    peers = chosen(PEERS, arguments.peers, lambda peer: [peer.name])
    if BASE not in peers:
        peers.insert(0, BASE)

    missing = {peer.name: why for peer in peers if (why := peer.missing())}
    there = [peer for peer in peers if peer.name not in missing]
    results = {
        cell.name: measure_cell(cell, there, arguments.rounds, arguments.seconds) for cell in cells
    }

    print(
        f"Medians of {arguments.rounds} rounds. In brackets: how many times as good as {BASE.title}.\n"
    )
    for table in tables(cells, peers, missing, results):
        print(plain(without_empty_rows(table)) + "\n")
    failures = [
        figures for cell in results.values() for figures in cell.values() if isinstance(figures, str)
    ]
    for peer, why in missing.items():
        print(f"missing: {peer}: {why}")
    for failure in failures:
        print(f"failed: {failure}")

    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(
            json.dumps({"missing": missing, "results": results}, indent=2) + "\n"
        )
    sys.exit(1 if failures else 0)


main()
