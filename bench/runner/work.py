"""The work that work.json defines, for each cell of the table."""

import json
from dataclasses import dataclass
from pathlib import Path

DEFINITION = json.loads((Path(__file__).parent.parent / "work.json").read_text())


@dataclass(frozen=True)
class Figure:
    """A number that a run prints. Its ratio is how many times as good it is as that of the cell's base."""

    unit: str
    value: callable
    less_is_better: bool = False
    has_ratio: bool = True


FIGURES = {
    "rate": Figure("/s", lambda run: run["messages"] / run["seconds"]),
    "mb_rate": Figure(
        "MB/s", lambda run: run["messages"] * run["message_bytes"] / run["seconds"] / 1e6
    ),
    "p50_us": Figure("p50 us", lambda run: run["p50_us"], less_is_better=True),
    # p99 depends on the machine's noise more than on the peer.
    "p99_us": Figure("p99 us", lambda run: run["p99_us"], has_ratio=False),
    "life_ms": Figure("ms", lambda run: run["life_ms"], less_is_better=True),
    "fork_ms": Figure("ms", lambda run: run["fork_ms"], less_is_better=True),
    "idle_child_mb": Figure("MB", lambda run: run["idle_child_mb"], less_is_better=True),
}


@dataclass(frozen=True)
class Cell:
    """One kind of work, which a peer does in one run."""

    name: str
    title: str
    figures: list
    window: int = 0  # messages ahead of the answers; 0: one answer follows all of them
    shape: str = None
    array: int = None  # bytes of JSON text
    payload: int = None  # bytes that travel as each peer does it best: see peers/payload.hpp
    sender: str = "as_is"
    children: int = 1
    # The cores of the parent and of the children, or of the client and of the web server; None: the
    # kernel chooses.
    cores: list = None
    ballast_mib: int = 0
    work_us: int = 0  # how long a child computes on each message; its answers have the time when it sent them
    runs: int = 1  # in a round: short work is done more often
    peers: list = None  # None: all
    # For requests to a web server instead of messages: how many connections at a time, and whether
    # they are kept for more than one request.
    connections: int = 0
    keep_alive: bool = False
    rpc: bool = False  # for requests to a child, which asks it for sums, instead of messages
    base: str = "node"  # the peer that the others are compared with

    @property
    def work(self):
        return self.name.split(".")[0]

    @property
    def has_messages(self):
        return any(each is not None for each in (self.shape, self.array, self.payload)) or (
            self.of_requests or self.rpc
        )

    @property
    def of_requests(self):
        return self.connections > 0

    def job(self, count):
        """Returns the job for a parent, without its child; or for the client of a web server."""
        if self.of_requests:
            return {"count": count, "connections": self.connections, "keep_alive": self.keep_alive}
        job = {
            "args": self.task(count),
            "children": self.children,
            "count": count,
            "window": self.window,
            "sender": self.sender,
            "ballast": self.ballast_mib << 20,
        }
        if self.work_us:
            job["timed"] = True
        if self.shape:
            job["messages"] = DEFINITION["shapes"][self.shape]
        if self.array:
            job["array"] = self.array
        if self.payload:
            job["payload"] = self.payload
        if self.cores and self.cores[1] != self.cores[0]:
            job["child_core"] = self.cores[1]
        return job

    def task(self, count):
        """Returns the child's task: see peers/child_task.hpp."""
        if self.rpc:
            return []
        if self.work_us:
            return ["work", str(self.work_us)]
        return ["echo"] if self.window else ["count", str(count)]


CELLS = [Cell(name=name, **cell) for name, cell in DEFINITION["cells"].items()]
