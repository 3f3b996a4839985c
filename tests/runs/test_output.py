"""Nothing that happens to what is printed ends a program."""

import os
import subprocess
import sys
from pathlib import Path

PRINTS = """
import logging, sys
from tem_vae.runs.output import keep_printing
keep_printing()
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
with open(sys.argv[1], "w") as file:
    for number in range(2_000):
        print("±", number)
        logging.info("± %d", number)
        print("error ±", number, file=sys.stderr)
    sys.stdout.flush()
    assert not sys.stdout.isatty()
    file.write("done")
"""


def run(shell: str, kept: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = shell.replace("PRINTS", '"$PYTHON" -c "$PRINTS" "$KEPT"')
    variables = {"PYTHON": sys.executable, "PRINTS": PRINTS, "KEPT": str(kept)}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=os.environ | variables | environment,
        capture_output=True,
        check=True,
    )


def test_a_stream_may_be_closed(tmp_path: Path) -> None:
    run("PRINTS >&- 2>&-", tmp_path / "kept")
    # Not what was printed: the file got the number of no closed stream.
    assert (tmp_path / "kept").read_text() == "done"


def test_a_reader_may_go(tmp_path: Path) -> None:
    ended = run("PRINTS | head -1", tmp_path / "kept")
    assert ended.stdout == "± 0\n".encode()
    assert ended.stderr.count(b"error") == 2_000
    assert b"Traceback" not in ended.stderr


def test_the_disk_of_a_stream_may_be_full(tmp_path: Path) -> None:
    ended = run("PRINTS > /dev/full", tmp_path / "kept")
    assert b"Traceback" not in ended.stderr
    assert (tmp_path / "kept").read_text() == "done"


def test_what_a_stream_cannot_encode_is_a_question_mark(tmp_path: Path) -> None:
    ended = run("PRINTS", tmp_path / "kept", PYTHONIOENCODING="ascii")
    assert ended.stdout.startswith(b"? 0\n")
    assert ended.stderr.startswith(b"error ? 0\n")
