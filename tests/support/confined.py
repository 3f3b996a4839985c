"""What becomes of a call in a process of its own, with bounded memory and time."""

import json
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass

MOST_SECONDS = 5.0
MOST_MEGABYTES = 500.0
_KILLED_AFTER = 20  # s: long enough to tell slow from never
_ADDRESSES = 4 * 2**30  # beyond what the process has at first, so that a mistake ends it and not the machine


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        loaded: Whether it returned.
        same: What it returned.
        message: Of its error; empty where it returned.
        refused: Whether the error was a ValueError, as every refusal is.
        seconds: Of computing that it took; a call that waits is killed in the end.
        megabytes: By how much the memory of the process grew at most.
    """

    loaded: bool
    same: bool
    message: str
    refused: bool
    seconds: float
    megabytes: float

    def faults(self) -> list[str]:
        """What is wrong with it, if it should have refused or returned."""
        checks = {
            "neither loaded nor refused": not self.loaded and not self.refused,
            "not one sentence": not self.loaded and (not self.message or "\n" in self.message),
            "a message without end": len(self.message) > 2_000,
            "the advice to read it without care": "weights_only" in self.message,
            f"took {self.seconds:.1f} s": self.seconds > MOST_SECONDS,
            f"took {self.megabytes:.0f} MB": self.megabytes > MOST_MEGABYTES,
        }
        return [fault for fault, occurred in checks.items() if occurred]


def confined(call: Callable[[], bool]) -> Outcome:
    """Make a call in a forked process.

    Args:
        call: Returns whether what it loaded is as it should be; or raises.
    """
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        with os.fdopen(sending, "w") as pipe:
            pipe.write(json.dumps(asdict(_outcome(call))))
            pipe.flush()
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if told:
        return Outcome(**json.loads(told))
    ended = f"ended by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "ended"
    return Outcome(False, False, ended, False, _KILLED_AFTER, 0.0)


def _outcome(call: Callable[[], bool]) -> Outcome:
    signal.alarm(_KILLED_AFTER)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    limit = pages * resource.getpagesize() + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    started, at_first = time.process_time(), _megabytes("VmRSS")
    loaded = same = refused = False
    message = ""
    try:
        same = call()
        loaded = True
    except ValueError as error:
        refused, message = True, str(error)
    except BaseException:
        message = traceback.format_exc()
    seconds = time.process_time() - started
    return Outcome(loaded, same, message, refused, seconds, _megabytes("VmHWM") - at_first)


def _megabytes(name: str) -> float:
    """A line of what the kernel says about the memory of this process."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) / 1024
