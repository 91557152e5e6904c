"""What a step frees, the next one gets without asking the system."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys, torch
from gpt2.memory import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def cost():
    before = faults()
    torch.empty(16 << 20).fill_(1.0)  # 64 MB, freed at once
    return faults() - before

cost()
given_back = cost()
told = keep_freed_memory()
for _ in range(3):  # where the heap begins is random, and it may have to grow twice
    cost()
print(json.dumps([given_back, told, cost()]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_a_large_tensor_made_again_costs_no_page_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    given_back, told, kept = json.loads(done.stdout)
    if not told:
        pytest.skip("the C library is not glibc")
    assert kept < 20 < given_back
