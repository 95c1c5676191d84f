"""The report of a run: the table on the terminal, and the files that are asked for."""

import json
from pathlib import Path

from chart import chart
from machine import machine
from table import markdown, plain, tables

RESULTS = Path(__file__).resolve().parent.parent / "RESULTS.md"
BEGIN, END = "<!-- bench/run --update writes from here -->", "<!-- to here -->"


class Report:
    def __init__(self, cells, peers, missing, results, rounds, seconds, load):
        self.cells = cells
        self.peers = peers
        self.missing = missing
        self.results = results
        self.rounds = rounds
        self.seconds = seconds
        self.load = load  # of the machine, before the run

    @property
    def failures(self):
        """Returns the failures as sentences, one for each peer and cell."""
        return [
            figures
            for cell in self.results.values()
            for figures in cell.values()
            if isinstance(figures, str)
        ]

    def tables(self):
        return tables(self.cells, self.peers, self.missing, self.results)

    def bases(self):
        """Returns what the others are compared with: "Node json, in R1 and R2 as vscode-jsonrpc"."""
        works = {}
        for cell in self.cells:
            works.setdefault(cell.base, {})[cell.work.upper()] = True
        titles = {peer.name: peer.title for peer in self.peers}
        (first, _), *others = works.items()
        return ", ".join(
            [titles[first], *(f"in {' and '.join(of_base)} as {titles[base]}" for base, of_base in others)]
        )

    def heading(self):
        rounds = "One round" if self.rounds == 1 else f"Medians of {self.rounds} rounds"
        return (
            f"{rounds} of about {self.seconds:g} s each. "
            f"In brackets: how many times as good as {self.bases()} in the same run. "
            f"The load of the machine was {self.load:.1f} when it began."
        )

    def what_lacks(self):
        lines = [f"missing: {peer}: {why}" for peer, why in self.missing.items()]
        return lines + [f"failed: {failure}" for failure in self.failures]

    def text(self):
        parts = [self.heading(), *map(plain, self.tables()), "\n".join(self.what_lacks())]
        return "\n\n".join(part for part in parts if part)

    def markdown(self):
        hardware = "\n".join(f"- {what}: {which}" for what, which in machine().items())
        lacks = "\n".join(f"- {line}" for line in self.what_lacks())
        parts = [hardware, self.heading(), *map(markdown, self.tables()), lacks]
        return "\n\n".join(part for part in parts if part)

    def write_json(self, path):
        write(
            path,
            json.dumps(
                {
                    "machine": machine(),
                    "rounds": self.rounds,
                    "seconds": self.seconds,
                    "load": self.load,
                    "missing": self.missing,
                    "results": self.results,
                },
                indent=2,
            )
            + "\n",
        )

    def write_svg(self, path):
        write(path, chart(self.cells, self.peers, self.results))

    def update_results(self):
        before, rest = RESULTS.read_text().split(BEGIN)
        _, after = rest.split(END)
        write(RESULTS, f"{before}{BEGIN}\n\n{self.markdown()}\n\n{END}{after}")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
