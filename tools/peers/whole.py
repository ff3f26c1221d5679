"""
Runs a whole command for each line of standard input, and answers with its times as measure.py does: those of its processes together.
The command prints one line of JSON, `runs` and whatever else is to be in the answer.

    python whole.py NAME COMMAND ...
"""

import json
import resource
import subprocess
import sys
import time


def cpu_seconds():
    """Of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(name, *command):
    for _ in sys.stdin:
        start, start_cpu = time.perf_counter(), cpu_seconds()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds, cpu = time.perf_counter() - start, cpu_seconds() - start_cpu
        facts = json.loads(done.stdout)
        window = {"unit": "runs", "amount": facts.pop("runs"), "seconds": seconds, "cpu_seconds": cpu}
        print(json.dumps({"name": name, **window, **facts}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
