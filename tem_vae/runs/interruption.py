"""SIGTERM and Ctrl-C: training ends between two updates, everything else at once."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Seconds after a signal in which another one means the same: clusters send several at once.
_PATIENCE = 5.0


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
        deferred: Whether it waits; else it raises where it strikes, as does another one long after it.
        saving: Whether the run is being saved: then every signal waits.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.deferred = False
        self.saving = False
        self._came = 0.0

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

    @contextmanager
    def save(self) -> Iterator[None]:
        """No signal ends the block, however many come."""
        self.saving = True
        try:
            yield
        finally:
            self.saving = False

    def _take(self, signum: int, _: FrameType | None) -> None:
        if self.signum is None:
            self._came = time.monotonic()
        self.signum = signum
        impatient = time.monotonic() - self._came > _PATIENCE
        if not self.deferred or (impatient and not self.saving):
            raise Interrupted(signum)


# Signal handlers belong to the process; whoever needs to know of a signal asks this one object.
interruption = Interruption()


@contextmanager
def interruption_found() -> Iterator[None]:
    """An error in the block that came of an interruption is that interruption.

    A signal may strike in the middle of a library, which then stumbles over what is half done and raises
    an error of its own.

    Raises:
        Interrupted: It is somewhere in the chain of errors.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        before: BaseException | None = error
        while before is not None and not isinstance(before, Interrupted):
            before = before.__context__
        if before is not None:
            raise before from None
        raise


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
