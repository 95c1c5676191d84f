"""The parent in Python: a multiprocessing.Process and a Pipe. Messages are pickled, not JSON."""

import json
import select
import sys
from multiprocessing import Pipe, Process

from work import Work


def child(connection, parents_end, task, count=0):
    """Does "echo" or "count N", as child_task.hpp says."""
    parents_end.close()
    received = 0
    try:
        while True:
            message = connection.recv()
            if task == "echo" or received in (0, int(count)):
                connection.send(message)
            received += 1
    except EOFError:
        pass


def start(work, args):
    ours, theirs = Pipe()
    process = Process(target=child, args=(theirs, ours, *args))
    work.fork_begins()
    process.start()
    work.forked(process.pid)
    theirs.close()
    ours.send(work.greeting)
    return process, ours


def converse(work, connections):
    """Sends only while there is nothing to receive. Both ends block when they send: if neither
    read, they would wait for each other for ever."""
    poller = select.poll()
    index = {connection.fileno(): i for i, connection in enumerate(connections)}
    for descriptor in index:
        poller.register(descriptor, select.POLLIN)
    while True:
        may_send = [i for i in range(len(connections)) if work.may_send(i)]
        ready = [index[descriptor] for descriptor, _ in poller.poll(0 if may_send else None)]
        for i in ready:
            connections[i].recv()
            if not work.received(i):
                return
        for i in may_send if not ready else []:
            connections[i].send(work.next(i))


def main():
    job = json.loads(sys.argv[1])
    work = Work(job)
    processes, connections = zip(*(start(work, job["args"]) for _ in range(work.children)))
    converse(work, connections)
    for connection in connections:
        connection.close()
    for process in processes:
        process.join()
    work.report()


if __name__ == "__main__":
    main()
