"""The work of a parent in Python, as work.hpp says."""

import json
import os
import subprocess
from time import perf_counter

# All numbers have the same number of digits, so all messages have the same size.
FIRST_NUMBER = 100_000_000


def built(number):
    """Makes the message of work.json anew, as a user writes it."""
    return {
        "n": number,
        "type": "update",
        "source": "sensor-1",
        "value": 21.375,
        "valid": True,
    }


def array_of_numbers(size):
    """Returns numbers of six digits, as many as fill `size` bytes of JSON text."""
    return [100_000 + i * 7919 % 900_000 for i in range(size // 7)]


def resident_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Rss:")) * 1024 / 1e6


def pin(pid, core):
    command = ["taskset", "-acp", str(core), str(pid)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def percentile(values, part):
    return sorted(values)[int(part * (len(values) - 1))]


class Work:
    def __init__(self, job):
        self.children = job.get("children", 1)
        self.child_core = job.get("child_core")
        self.sender = job.get("sender", "as_is")
        self.messages = job.get("messages", [])
        self.count = job["count"]
        self.window = job["window"]
        if "array" in job:
            self.messages = [array_of_numbers(job["array"])]
        if self.sender == "built" and built(FIRST_NUMBER) != self.messages[0]:
            raise ValueError("what is built is not what work.json says")

        self.sent = [0] * self.children
        self.answered = [0] * self.children
        self.pids = []
        self.is_open = False
        self.greeted = 0
        self.seconds = 0
        self.round_trips = []
        self.fork_ms = 0
        self.life_began = perf_counter()

    greeting = "Hello"

    def fork_begins(self):
        self.fork_began = perf_counter()

    def forked(self, pid):
        self.fork_ms += (perf_counter() - self.fork_began) * 1e3
        self.pids.append(pid)

    def may_send(self, child):
        if not self.is_open or self.sent[child] == self.count:
            return False
        return self.window == 0 or self.sent[child] - self.answered[child] < self.window

    def next(self, child):
        number = self.next_number(child)
        if self.sender == "built":
            return built(number)
        if self.sender == "kept":
            self.messages[0]["n"] = number
        return self.messages[(number - FIRST_NUMBER) % len(self.messages)]

    def next_number(self, child):
        """Counts a message that is sent to a child without next(), and returns its number."""
        if self.window == 1:
            self.sent_at = perf_counter()
        self.sent[child] += 1
        return FIRST_NUMBER + self.sent[child] - 1

    def received(self, child):
        """Returns False if that was the last answer."""
        if not self.is_open:
            self.greeted += 1
            return self.greeted < self.children or self.begin()
        self.answered[child] += 1
        if self.window == 1:
            self.round_trips.append((perf_counter() - self.sent_at) * 1e6)
        self.awaited -= 1
        if self.awaited == 0:
            self.seconds = perf_counter() - self.began
        return self.awaited > 0

    def begin(self):
        self.idle_child_mb = resident_mb(self.pids[0])
        if self.child_core is not None:
            for pid in self.pids:
                pin(pid, self.child_core)
        self.awaited = self.children * (self.count if self.window else min(self.count, 1))
        self.is_open = True
        self.began = perf_counter()
        return self.awaited > 0

    def report(self):
        figures = {
            "fork_ms": self.fork_ms,
            "life_ms": (perf_counter() - self.life_began) * 1e3,
            "idle_child_mb": self.idle_child_mb,
            "messages": self.children * self.count,
            "seconds": self.seconds,
        }
        if self.round_trips:
            figures["p50_us"] = percentile(self.round_trips, 0.5)
            figures["p99_us"] = percentile(self.round_trips, 0.99)
        if self.messages:
            text = json.dumps(self.messages[0], separators=(",", ":"), ensure_ascii=False)
            figures["message_bytes"] = len(text.encode())
        print(json.dumps(figures), flush=True)
