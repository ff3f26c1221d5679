"""
Measures a piece of work in windows, one for each line of standard input, and answers each with one line of JSON:

    {"name": "torch 2.15.0 eager", "unit": "examples", "amount": 51200, "seconds": 1.01, "cpu_seconds": 1.01}

Whoever asks decides when: that is how two programs take turns within the same minute. Everything runs on one thread.
Import this module before numpy and torch, which read the environment when they are loaded.
"""

import json
import os
import sys
import tempfile
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)  # the library knows its fastest kernel for this processor
if os.environ.get("TOWERBENCH_HOLD_TO") == "avx2":
    os.environ.update(
        OPENBLAS_CORETYPE="Haswell",
        MKL_ENABLE_INSTRUCTIONS="AVX2",
        ONEDNN_MAX_CPU_ISA="AVX2",
        ATEN_CPU_CAPABILITY="avx2",
        FAISS_OPT_LEVEL="avx2",
        # what torch.compile has made for AVX-512 crashes here
        TORCHINDUCTOR_CACHE_DIR=os.path.join(tempfile.gettempdir(), "torchinductor-avx2"),
    )


def window(run, seconds):
    """Calls `run`, which returns how many units it did, until `seconds` are over."""
    amount, start, start_cpu = 0, time.perf_counter(), time.process_time()
    while True:
        amount += run()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return {"amount": amount, "seconds": elapsed, "cpu_seconds": time.process_time() - start_cpu}


def serve(name, unit, run, seconds):
    """Warms `run` up, then measures a window whenever a line is read, until the input ends."""
    window(run, seconds)
    for _ in sys.stdin:
        print(json.dumps({"name": name, "unit": unit, **window(run, seconds)}), flush=True)
