# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures: a proxy under wrk's load, the processor time that it takes, its memory."""

import os
import re
import subprocess

ORIGIN = 'location / { return 200 "hello from the origin\\n"; }'


class Contender:
    """A proxy that is running: a Program that serves at .port."""

    def __init__(self, name, program):
        self.name, self.port, self.program = name, program.port, program

    def pids(self):
        """The process and its children: nginx serves from a child."""
        pid = self.program.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [pid] + [int(child) for child in file.read().split()]

    def memory(self):
        """Resident, in KiB."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as status:
                total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        return total

    def processor_seconds(self):
        """What all threads have run, by the scheduler's clock, which counts in nanoseconds."""
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
        return total / 1e9

    def pin(self, processor):
        for pid in self.pids():
            subprocess.run(["taskset", "-acp", str(processor), str(pid)], check=True, stdout=subprocess.DEVNULL)

    def load(self, connections, seconds, processor=None):
        """(requests a second, processor time a request in µs) under wrk's load, which has `processor` for itself."""
        before = self.processor_seconds()
        count, rate = wrk(self.port, connections, seconds, processor)
        return rate, (self.processor_seconds() - before) / count * 1e6


def wrk(port, connections, seconds, processor=None):
    """(requests, requests a second). Ends the program if one is lost."""
    command = ["taskset", "-c", str(processor)] if processor is not None else []
    command += ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "60s", f"http://127.0.0.1:{port}/"]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"port {port} lost requests:\n{text}")
    return int(re.search(r"(\d+) requests in", text)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])


def table(rows):
    """Prints rows of text, all but the first column to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
