"""Describes the machine and its software: without this, the figures mean little."""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from peers import BENCH, BUILD, NODE, PACKAGES, PEERS, runtime


ROOT = BENCH.parent


def first_line_of(*command):
    """Returns the first line that a command prints; None if it fails or cannot be run."""
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"})
    lines = done.stdout.splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def version(*command):
    match = re.search(r"\d+(\.\d+)+", first_line_of(*command) or "")
    return match and match[0]


def library(name):
    return version("pkg-config", "--modversion", name)


def nng():
    header = Path("/usr/include/nng/nng.h")
    if not header.exists():
        return None
    parts = re.findall(r"define NNG_(?:MAJOR|MINOR|PATCH)_VERSION (\d+)", header.read_text())
    return ".".join(parts)


def simdjson():
    """Returns the version of the sources that cmake/install-dependencies has downloaded."""
    header = ROOT / "build/sources/simdjson/include/simdjson/simdjson_version.h"
    found = header.exists() and re.search(r"define SIMDJSON_VERSION \"?([\d.]+)", header.read_text())
    return found[1] if found else None


def packages():
    """Returns {name: version} of the npm packages that peers need."""
    names = [peer.package for peer in PEERS if peer.package]
    files = {name: PACKAGES / name / "package.json" for name in names}
    return {name: json.loads(file.read_text())["version"] for name, file in files.items() if file.exists()}


def cpu():
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return names[0] if names else platform.machine()


def compiler():
    """Returns the compiler as CMake found it: "GNU 12.2.0"."""
    found = next((BUILD.parent / "CMakeFiles").glob("*/CMakeCXXCompiler.cmake")).read_text()
    return " ".join(re.search(rf'CXX_COMPILER_{what} "(.*?)"', found)[1] for what in ("ID", "VERSION"))


def machine():
    """Returns {name: version or description}, without the software that this machine lacks."""
    known = {
        "cores": f"{len(os.sched_getaffinity(0))} of {cpu()}",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "compiler": f"{compiler()}, -O2",
        "libuv": library("libuv"),
        "nlohmann/json": library("nlohmann_json"),
        "simdjson": simdjson(),
        "Node": version(NODE, "--version"),
        "Bun": version(runtime("bun"), "--version"),
        "Deno": version(runtime("deno"), "--version"),
        "Python": platform.python_version(),
        "ZeroMQ": library("libzmq"),
        "nng": nng(),
        **packages(),
    }
    return {what: which for what, which in known.items() if which}
