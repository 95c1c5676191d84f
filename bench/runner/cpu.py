"""Measures who used the CPUs: this benchmark, other processes, or a virtual machine's host."""

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Usage:
    """Seconds of CPU until now, and the time of the measurement."""

    at: float
    all: float  # of all processes, without interrupts
    own: float  # of this process and of its descendants that have ended
    stolen: float

    @staticmethod
    def now():
        line = Path("/proc/stat").read_text().splitlines()[0]
        user, nice, system, _, _, _, _, stolen, *_ = (
            int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in line.split()[1:]
        )
        return Usage(time.monotonic(), user + nice + system, sum(os.times()[:4]), stolen)

    def cores_of_others(self, earlier):
        others = (self.all - earlier.all) - (self.own - earlier.own)
        return max(0.0, others / (self.at - earlier.at))

    def stolen_part(self, earlier):
        return (self.stolen - earlier.stolen) / (self.at - earlier.at) / os.cpu_count()


def adopt_orphans():
    """Makes this process the parent of workers whose primary ends before them. Otherwise it would
    not learn how much CPU they used."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans():
    """Reaps the orphans that have ended. Must not be called while other code waits for a
    subprocess."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass
