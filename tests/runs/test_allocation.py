"""Freed memory is kept: the next tensor of the same size needs no new pages."""

import resource
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from tem_vae.runs.allocation import keep_freed_memory
keep_freed_memory()
torch.ones(2_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(2_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's allocator")
def test_a_tensor_of_8_mb_is_made_again_without_new_pages() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    pages = 20 * 8_000_000 / resource.getpagesize()
    assert int(found.stdout) < 0.1 * pages
