"""Who used the CPUs meanwhile: this benchmark, other processes, or the host of a virtual machine."""

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Usage:
    """Seconds of CPU until now, and the time of day."""

    at: float
    all: float  # of all processes; what interrupts take is nobody's
    own: float  # of this process and of those below it that have ended
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
    """Workers whose primary ended before them come to this process, which otherwise would not be told what
    they used."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans():
    """Those that have ended. Not while a subprocess runs that somebody else waits for."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass
