"""The one place where a thread waits for another: a condition variable and the counts that are waited for."""

import threading


class Waiting:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._exchanges = 0
        self._held = 0
        self._releases = 0
        self._drops = 0
        self._stopping = False

    @property
    def exchanges(self) -> int:
        return self._exchanges

    @property
    def held(self) -> int:
        return self._held

    def start_from(self, exchanges: int) -> None:
        """After a restart, or a reset."""
        with self._changed:
            self._exchanges = exchanges
            self._changed.notify_all()

    def exchange_happened(self) -> None:
        with self._changed:
            self._exchanges += 1
            self._changed.notify_all()

    def until(self, exchanges: float, held: float, timeout: float) -> bool:
        """True once so many exchanges happened and so many requests are held; `timeout` is in seconds."""

        def reached() -> bool:
            return self._exchanges >= exchanges and self._held >= held

        with self._changed:
            self._changed.wait_for(lambda: reached() or self._stopping, timeout)
            return reached()

    def pause(self, seconds: float) -> None:
        """Let time pass, unless the simulator stops meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def hold(self, seconds: float) -> bool:
        """Wait for a release, `seconds` at most. False when the request is to be dropped instead."""
        with self._changed:
            releases, drops = self._releases, self._drops
            self._held += 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._stopping or self._releases > releases or self._drops > drops, seconds
            )
            self._held -= 1
            return self._drops == drops and not self._stopping

    def release(self) -> int:
        """Let every held request go on; says how many there were."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()
            return self._held

    def drop(self) -> None:
        """Abandon every held request."""
        with self._changed:
            self._drops += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Abandon them, and let nobody wait any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
