"""Finds the build to compare with: a build folder, or a commit, which it builds."""

import re
import subprocess
import sys
from pathlib import Path

from machine import ROOT, first_line_of
from peers import BUILD

# The settings that make a build slower or faster than another of the same sources.
SETTINGS = ["CMAKE_BUILD_TYPE", "CMAKE_CXX_COMPILER", "CMAKE_CXX_FLAGS", "CMAKE_CXX_FLAGS_RELEASE"]


def other_build(name):
    """Returns the folder of the other build's programs. TINE_BENCH_BUILD is that of this build."""
    folder = Path(name)
    if not folder.is_dir():
        folder = made_of(name)
    for place in (folder / "bench", folder):
        if (place / "tine" / "parent").exists():
            return place.resolve()
    refuse(f"{folder} is no build of the preset bench: there is no bench/tine/parent in it")


def made_of(revision):
    """Builds a commit in build/against and returns its build folder. Builds nothing if that was done
    before."""
    commit = first_line_of("git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", revision + "^{commit}")
    if not commit:
        refuse(f"{revision} is neither a folder nor a commit")
    sources = ROOT / "build" / "against" / commit
    if not sources.exists():
        unpack(commit, sources)
    print(f"Building {commit[:12]} in build/against (minutes the first time) ...", file=sys.stderr)
    # The commit's own cmake/install-dependencies has not run, so it uses our sources of simdjson.
    simdjson = ROOT / "build" / "sources" / "simdjson"
    given = [f"-DFETCHCONTENT_SOURCE_DIR_SIMDJSON={simdjson}"] if simdjson.exists() else []
    for command in (["cmake", "--preset", "bench", *given], ["cmake", "--build", "--preset", "bench"]):
        done = subprocess.run(
            command, cwd=sources, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode != 0:
            refuse(f"{revision} could not be built:\n{done.stdout}")
    return sources / "build" / "bench"


# A program's speed depends on the addresses of its code: the same code, a few bytes further on, is up to
# 14% slower or faster. So the rounds use programs that were linked behind so many bytes.
PADDINGS = [0, 48, 208, 1040, 2112]


def laid_out(build, padding):
    """Returns a folder with tine's programs of a build, linked behind so many bytes of padding."""
    if padding == 0:
        return build
    folder = build / "layouts" / str(padding)
    folders = [build / name for name in ("tine", "payload", "cluster", "rpc")]
    for program in [path for programs in folders for path in programs.glob("*")]:
        linked = folder / program.relative_to(build)
        if not linked.exists() or linked.stat().st_mtime < program.stat().st_mtime:
            link(program, build.parent, linked, padding)
    return folder


def link(program, ninja_folder, linked, padding):
    """Links a program again, as ninja did, but with padding in front."""
    linked.parent.mkdir(parents=True, exist_ok=True)
    pad = linked.with_suffix(".o")
    source = f'.section .note.GNU-stack,"",@progbits\n.text\n.globl pad\npad: .skip {padding}, 0x90\n'
    target = str(program.relative_to(ninja_folder))
    try:
        subprocess.run(["as", "-o", pad], input=source, text=True, check=True)
        commands = subprocess.run(
            ["ninja", "-C", ninja_folder, "-t", "commands", target], text=True, capture_output=True, check=True
        )
        command = commands.stdout.splitlines()[-1]
        command = command.replace(f" -o {target} ", f" -Wl,-u,pad -o '{linked}' ")
        # The first object of the command is the first in the program.
        command = command.replace(" bench/CMakeFiles/", f" '{pad}' bench/CMakeFiles/", 1)
        subprocess.run(command, shell=True, cwd=ninja_folder, check=True, capture_output=True)
        pad.unlink()
    except (OSError, subprocess.CalledProcessError) as error:
        refuse(f"{target} could not be linked again: {error}")


def unpack(commit, folder):
    """Unpacks all of a commit or nothing: after an interruption the next call starts anew."""
    partial = folder.with_suffix(".partial")
    partial.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", partial], input=archive.stdout, check=True)
    partial.rename(folder)


def refuse(why):
    """Exits with 2, because 1 says that a row has fallen."""
    print(f"bench/run: {why}", file=sys.stderr)
    sys.exit(2)


def settings(build):
    cache = (build.parent / "CMakeCache.txt").read_text()
    return dict(re.findall(rf"^({'|'.join(SETTINGS)}):\w+=(.*)$", cache, re.MULTILINE))


def differences(before, after=BUILD):
    """Returns the differences between the settings of two builds, as sentences."""
    theirs, ours = settings(before), settings(after)
    return [
        f"{name} is not the same: before {theirs.get(name)!r}, after {ours.get(name)!r}"
        for name in SETTINGS
        if theirs.get(name) != ours.get(name)
    ]
