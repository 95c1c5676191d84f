"""The peers: how the parent of each is started, and what it starts as its child.

A new peer needs a parent that takes a job as its last argument, does the work as
peers/work.hpp describes it and prints a line of figures; a child as peers/child_task.hpp describes
it; and an entry in PEERS. Or it is a web server that takes a port as its last argument and prints a
line when it listens; peers/cluster/load.cpp sends requests to it. A parent of requests to a child does
the work in the same way as one of messages: see peers/rpc.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from work import CELLS

BENCH = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("TINE_BENCH_BUILD", BENCH.parent / "build" / "bench" / "bench"))
SCRIPTS = BENCH / "peers"
RUNTIMES = BUILD.parent / "runtimes"  # where bench/run calls install_runtimes
PACKAGES = RUNTIMES / "node_modules"


@dataclass(frozen=True)
class Rpc:
    """The programs of a peer that makes requests, like those for messages."""

    parent: list
    child: str


@dataclass(frozen=True)
class Peer:
    name: str
    title: str
    parent: list  # command line, before the job
    child: str  # the module
    exec_path: str = ""  # the program that runs the module; "": none, or the parent's runtime
    extra: dict = field(default_factory=dict)  # more members of the job
    cells: list = None  # the only cells it takes part in; None: all
    server: list = None  # command line of its web server, before the port; None: it has none
    rpc: Rpc = None  # its programs for requests to a child; None: it has none
    package: str = None  # the npm package that it needs

    def takes_part(self, cell):
        if not (self.rpc if cell.rpc else self.server if cell.of_requests else self.parent):
            return False
        return (cell.peers is None or self.name in cell.peers) and (
            self.cells is None or cell.name in self.cells
        )

    def missing(self, cells):
        """Returns why the peer cannot be measured in these cells here, or None."""
        if self.package and not (PACKAGES / self.package).exists():
            return f"there is no {self.package}"
        asks = self.rpc and any(cell.rpc for cell in cells)
        commands = [self.parent, self.server, self.rpc.parent if asks else None]
        commands = [command for command in commands if command]
        for needed in [*(command[0] for command in commands), self.exec_path or commands[0][0]]:
            if not shutil.which(needed):
                return f"there is no {needed.removeprefix(str(BUILD.parent) + '/')}"
        return None

    def command(self, cell, count):
        """Returns the command line of one run."""
        if cell.of_requests:
            pinned = ["taskset", "-c", str(cell.cores[1])] if cell.cores else []
            return [program("cluster", "load"), *pinned, *self.server, json.dumps(cell.job(count))]
        parent = self.rpc.parent if cell.rpc else self.parent
        return [*parent, json.dumps(self.job(cell, count))]

    def job(self, cell, count):
        return {
            "exec_path": self.exec_path,
            "module": self.rpc.child if cell.rpc else self.child,
            **cell.job(count),
            **self.extra,
        }


def runtime(name):
    """Returns the path of a runtime that install_runtimes has installed."""
    return str(RUNTIMES / "bin" / name)


def program(peer, name, build=BUILD):
    return str(build / peer / name)


NODE = shutil.which("node") or "node"
PYTHON = sys.executable
JS_PARENT = str(SCRIPTS / "js" / "parent.js")
JS_CHILD = str(SCRIPTS / "js" / "child.js")
JS_CLUSTER = str(SCRIPTS / "js" / "cluster.js")
VSCODE_PARENT = str(SCRIPTS / "rpc" / "parent.js")
VSCODE_CHILD = str(SCRIPTS / "rpc" / "child.js")
JS_POOL = str(SCRIPTS / "rpc" / "pool.js")


def native(name, title, *mode, extra=None):
    return Peer(
        name="-".join([name, *mode]),
        title=title,
        parent=[program(name, "parent"), *mode],
        child=program(name, "child"),
        extra=extra or {},
    )


def web_server(name, title, *command):
    return Peer(name, title, [], "", server=list(command))


def requester(name, title, parent, child="", **more):
    return Peer(name, title, [], "", rpc=Rpc(parent, child), **more)


def pool(package):
    return requester(package, package, [NODE, JS_POOL, package], package=package)


def of_channels(build):
    """Returns tine's parents and children of a build."""
    parent, child = program("tine", "parent", build), program("tine", "child", build)
    text_child = program("tine", "text_child", build)
    spin_child = program("tine", "spin_child", build)
    cluster = program("cluster", "server", build)
    return [
        Peer("tine", "tine", [parent], child, server=[cluster, "round_robin"], rpc=rpc_of(build)),
        Peer("tine-text", "tine, unparsed Text", [parent, "text"], text_child),
        Peer("tine-spin", "tine, spinning 50 us", [parent, "spin"], spin_child),
        Peer("tine-advanced", "tine advanced", [parent, "advanced"], child),
        Peer("tine-node", "tine parent, Node child", [parent], JS_CHILD, exec_path=NODE),
        Peer("node-tine", "Node parent, tine child", [NODE, JS_PARENT], "", exec_path=child),
    ]


def rpc_of(build):
    return Rpc([program("rpc", "parent", build)], program("rpc", "child", build))


def of_requests(build):
    """Returns tine's peers of a build that only make requests."""
    rpc, vscode = rpc_of(build), {"package": "vscode-jsonrpc"}
    return [
        requester("tine-coroutine", "tine, coroutines", [*rpc.parent, "coroutine"], rpc.child),
        requester(
            "tine-vscode",
            "tine parent, vscode-jsonrpc child",
            rpc.parent,
            VSCODE_CHILD,
            exec_path=NODE,
            **vscode,
        ),
        requester(
            "vscode-tine",
            "vscode-jsonrpc parent, tine child",
            [NODE, VSCODE_PARENT],
            exec_path=rpc.child,
            **vscode,
        ),
    ]


# The cells of the peers that send nothing but payloads.
PAYLOADS = [cell.name for cell in CELLS if cell.payload]


def of_payloads(build):
    """Returns tine's peers of a build that send payloads, one for each way to send them."""
    parent, child = program("payload", "parent", build), program("payload", "child", build)
    ways = [
        ("tine-shared", "tine, SharedBuffer", "shared"),
        ("tine-shared-kept", "tine, SharedBuffer made once", "kept"),
        ("tine-string", "tine, JSON string", "string"),
        ("tine-buffer", "tine, advanced Buffer", "buffer"),
    ]
    return [Peer(name, title, [parent, way], child, cells=PAYLOADS) for name, title, way in ways]


def of_web_servers(build):
    """Returns tine's peers of a build that are only web servers."""
    cluster, alone = program("cluster", "server", build), program("cluster", "alone", build)
    return [
        web_server("tine-none", "tine, balancing none", cluster, "none"),
        web_server("tine-least-connections", "tine, least connections", cluster, "least_connections"),
        web_server("tine-reuse-port", "tine, reuse port", cluster, "reuse_port"),
        web_server("one-process", "tine, one process", alone),
    ]


def of_tine(build):
    """Returns all peers of a build that run tine's code."""
    return of_channels(build) + of_web_servers(build) + of_payloads(build) + of_requests(build)


# The bytes are made once: building messages is not measured.
AS_IS = {"sender": "as_is"}

PEERS = [
    Peer("node", "Node json", [NODE, JS_PARENT], JS_CHILD, server=[NODE, JS_CLUSTER]),
    requester(
        "vscode-jsonrpc",
        "vscode-jsonrpc",
        [NODE, VSCODE_PARENT],
        VSCODE_CHILD,
        package="vscode-jsonrpc",
    ),
    *of_channels(BUILD),
    Peer(
        "node-advanced",
        "Node advanced",
        [NODE, JS_PARENT],
        JS_CHILD,
        extra={"serialization": "advanced"},
    ),
    Peer("bun", "Bun", [runtime("bun"), JS_PARENT], JS_CHILD),
    Peer("deno", "Deno", [runtime("deno"), "run", "-A", JS_PARENT], JS_CHILD),
    Peer("python", "Python multiprocessing", [PYTHON, str(SCRIPTS / "python" / "parent.py")], ""),
    native("zmq", "ZeroMQ + nlohmann"),
    native("nng", "nng + nlohmann"),
    native("uv", "naive libuv + nlohmann"),
    native("raw", "raw bytes, a write each", extra=AS_IS),
    native("raw", "raw bytes, 64 KiB writes", "batched", extra=AS_IS),
    Peer(
        "bare",
        "bare program on libuv",
        [program("raw", "parent")],
        program(".", "bare"),
        cells=["w5.life"],
    ),
    *of_web_servers(BUILD),
    *of_payloads(BUILD),
    Peer("pipe", "pipe", [program("pipe", "parent")], program("pipe", "child"), cells=PAYLOADS),
    *of_requests(BUILD),
    *map(pool, ["jest-worker", "workerpool", "tinypool"]),
    requester(
        "python-executor",
        "Python ProcessPoolExecutor",
        [PYTHON, str(SCRIPTS / "python" / "executor.py")],
    ),
]


def with_bases(peers, cells):
    """Returns the peers, and in front of them those that these cells compare them with."""
    bases = {cell.base for cell in cells}
    return [peer for peer in PEERS if peer.name in bases and peer not in peers] + peers
