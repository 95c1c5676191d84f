"""The peers: how the parent of each is started, and what it starts as its child."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
BUILD = BENCH.parent / "build" / "bench" / "bench"
SCRIPTS = BENCH / "peers"


@dataclass(frozen=True)
class Peer:
    name: str
    title: str
    parent: list  # command line, before the job
    child: str  # the module
    exec_path: str = ""  # what runs the module; "": the module is a program, or the parent's kind
    extra: dict = field(default_factory=dict)  # more of the job

    def missing(self):
        """Why it cannot be measured here, or None."""
        for program in [self.parent[0], self.exec_path or self.parent[0]]:
            if not shutil.which(program):
                return f"there is no {Path(program).name}"
        return None

    def job(self, cell, count):
        return {
            "exec_path": self.exec_path,
            "module": self.child,
            **cell.job(count),
            **self.extra,
        }


def program(peer, name):
    return str(BUILD / peer / name)


NODE = shutil.which("node") or "node"
JS_PARENT = str(SCRIPTS / "js" / "parent.js")
JS_CHILD = str(SCRIPTS / "js" / "child.js")

PEERS = [
    Peer("node", "Node json", [NODE, JS_PARENT], JS_CHILD),
    Peer("tine", "tine", [program("tine", "parent")], program("tine", "child")),
    Peer("uv", "naive libuv + nlohmann", [program("uv", "parent")], program("uv", "child")),
]

BASE = PEERS[0]  # what the others are compared with
