"""Freed memory is kept: the next tensor of the same size needs no new pages."""

import resource
import subprocess
import sys

import pytest

# Eight tensors of 8 MB at once, again and again: more than the allocator keeps by itself.
PROGRAM = """
import resource, torch
from tem_vae.runs.allocation import keep_freed_memory
keep_freed_memory()
def make_and_free():
    for _ in range(10):
        [torch.ones(2_000_000) for _ in range(8)]
make_and_free()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
make_and_free()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's allocator")
def test_tensors_are_made_again_without_new_pages() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    pages = 80 * 8_000_000 / resource.getpagesize()
    assert int(found.stdout) < 0.01 * pages
