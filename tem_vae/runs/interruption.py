"""SIGTERM and Ctrl-C: training ends between two updates, everything else at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(BaseException):
    """The run was told to end; no error, so ``except Exception`` lets it pass.

    Args:
        signum: The signal that told it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum

    @property
    def exit_status(self) -> int:
        """What a shell reports of a process that the signal ended."""
        return 128 + self.signum


class Interruption:
    """Notes the signals that ask to end.

    Attributes:
        signum: The signal that came, None before.
        deferred: Whether it waits; else it raises where it strikes, as a second one always does.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.deferred = False

    def install(self) -> None:
        """Become the handler; again where a library has put its own in place."""
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                signal.signal(signum, self._take)

    @contextmanager
    def deferral(self) -> Iterator[None]:
        """Signals wait for the end of the block, or for a place inside that looks at `signum`.

        Raises:
            Interrupted: A signal came.
        """
        self.signum, self.deferred = None, True
        try:
            yield
        finally:
            self.deferred = False
        if self.signum is not None:
            raise Interrupted(self.signum)

    def _take(self, signum: int, _: FrameType | None) -> None:
        again = self.signum is not None
        self.signum = signum
        if again or not self.deferred:
            raise Interrupted(signum)


# Signal handlers belong to the process; whoever needs to know of a signal asks this one object.
interruption = Interruption()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block the signals end the process by way of `Interrupted`; after it all is as before."""
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    interruption.install()
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
