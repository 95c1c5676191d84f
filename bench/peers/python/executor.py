"""The parent in Python that makes requests: a ProcessPoolExecutor of one process."""

import json
import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor

from work import Work


def add(numbers):
    return numbers["a"] + numbers["b"]


def check(expected, total):
    if total != expected:
        raise ValueError(f"a sum is wrong: {total}")


class Parent:
    def __init__(self, job):
        self.work = Work(job)
        self.ended = Future()

    def run(self):
        self.work.fork_begins()
        with ProcessPoolExecutor(max_workers=1) as self.executor:
            self.work.forked(self.executor.submit(os.getpid).result())
            self.work.received(0)
            self.ask_more()
            self.ended.result()
        self.work.report()

    def ask_more(self):
        while self.work.may_send(0):
            number = self.work.next_number(0)
            future = self.executor.submit(add, {"a": number, "b": 1})
            future.add_done_callback(lambda future, number=number: self.answered(number, future))

    def answered(self, number, future):
        """Runs in the executor's thread. To wake another thread for each answer would take longer."""
        try:
            check(number + 1, future.result())
            if self.work.received(0):
                self.ask_more()
            else:
                self.ended.set_result(None)
        except Exception as failure:
            self.ended.set_exception(failure)


if __name__ == "__main__":
    Parent(json.loads(sys.argv[1])).run()
