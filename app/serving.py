"""Server processes: one, or several under uvicorn's supervisor, which stop in time whatever happens.

The supervisor (`Workers`) listens, starts the workers, and starts another where one has died or
hangs. SIGTERM and SIGINT stop all of them; SIGHUP replaces them one after another, each new one
before an old one goes, so that nobody is turned away.
"""

import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.importer import import_from_string
from uvicorn.supervisors.multiprocess import Multiprocess, Process

APPLICATION = "app.main:create_app"
"""Named and not imported: the supervisor does not need it, and a worker answers while it imports it."""
METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes keep what they measure, for whichever is asked to add it up."""
LAST_SECONDS = 1.5
"""How long a process has, once requests have had their time, until it is ended hard."""
READY_SECONDS = 300.0
"""How long a worker may take to start: seconds, but on a machine that is far too busy minutes."""
_HANGS_AFTER_SECONDS = 10.0
_STOPPING = {signal.SIGTERM, signal.SIGINT}
_log = logging.getLogger("uvicorn.error")


def serve(config: uvicorn.Config) -> int:
    """Serve until a signal says stop; answers the exit status."""
    os.environ.pop(METRICS, None)
    if config.workers == 1:
        config.app = _application
        server = Server(config)
        server.run()
        return 0 if server.started else STARTUP_FAILURE
    with TemporaryDirectory(prefix="quickwin-") as folder:
        # Which worker does the background work is settled by a lock on a file that all of them know.
        metrics = Path(folder) / "metrics"
        metrics.mkdir()
        os.environ[METRICS] = str(metrics)
        config.app = partial(_application, Path(folder) / "background")
        workers = Workers(config, [config.bind_socket()])
        workers.run()
        return STARTUP_FAILURE if workers.has_failed else 0


def _application(turn: Path | None = None) -> ASGIApp:
    gc.disable()  # as in `__main__`; once it starts, the application has what is there frozen
    made: ASGIApp = import_from_string(APPLICATION)(turn=turn)
    gc.enable()
    return made


class Server(uvicorn.Server):
    """One process; its stop ends, also where a thread or the database holds something up."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """A terminal that is closed stops it as SIGTERM does."""
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self.handle_exit)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests finish, then end; what is not committed by then is rolled back."""
        seconds = (self.config.timeout_graceful_shutdown or 0) + LAST_SECONDS
        timer = threading.Timer(seconds, os._exit, (1,))
        timer.daemon = True
        timer.start()
        await super().shutdown(sockets)


class _Told(threading.Event):
    """Set, or about to be since a signal has come that nobody has looked at yet."""

    def __init__(self, signals: list[int]) -> None:
        super().__init__()
        self._signals = signals

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        return super().is_set() or not _STOPPING.isdisjoint(self._signals)


class Workers(Multiprocess):
    """The supervisor of several processes; use from the main thread."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.should_exit = _Told(self.signal_queue)
        self._leaving: list[tuple[Process, float]] = []
        """Workers that were told to stop, and when they are ended hard."""
        self._young: dict[Process, float] = {}
        """Workers that have not started yet, and by when they have to."""

    @property
    def has_failed(self) -> bool:
        """Whether it stopped because a worker could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def init_processes(self) -> None:
        """Start the workers."""
        self.processes += [self._start() for _ in range(self.processes_num)]

    def restart_all(self) -> None:
        """Replace each worker, as soon as another is ready; all stay where one does not get ready."""
        for index, old in enumerate(self.processes):
            new = self._start()
            if not new.wait_until_ready(READY_SECONDS, self.should_exit):
                new.kill()
                new.join()
                if not self.should_exit.is_set():
                    _log.error("No replacement gets ready: the other workers stay.")
                return
            self.processes[index] = new
            self._dismiss(old)

    def handle_ttin(self) -> None:
        """Have one worker more."""
        self.processes_num += 1
        self.processes.append(self._start())

    def handle_ttou(self) -> None:
        """Have one worker less."""
        if self.processes_num > 1:
            self.processes_num -= 1
            self._dismiss(self.processes.pop())

    def keep_subprocess_alive(self) -> None:
        """Replace who has died or hangs, and see off who was told to stop."""
        self._see_off(time.monotonic())
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set() or self._is_well(process):
                continue
            process.kill()
            process.join()
            _forget(process)
            if process.exitcode == STARTUP_FAILURE:  # the next one would fail in the same way
                _log.error("Worker [%s] cannot start: the server stops.", process.pid)
                self.should_exit.set()
                return
            _log.error("Worker [%s] has died and is replaced.", process.pid)
            self._young.pop(process, None)
            self.processes[index] = self._start()

    def _is_well(self, process: Process) -> bool:
        """Whether a worker lives and answers, or may still take its time to start.

        The supervisor of uvicorn ends who does not answer in time, also while a process begins: on
        a busy machine no worker would ever get ready.
        """
        if not process.process.is_alive():
            return False
        with suppress(OSError, EOFError):
            answers = list(_waiting(process))  # late ones would be taken for the next ones
            if any(answers):
                self._young.pop(process, None)
            process.parent_conn.send(b"ping")
            if process in self._young:
                return time.monotonic() < self._young[process]
            return self._has_answered(process)
        return False

    def _has_answered(self, process: Process) -> bool:
        until = time.monotonic() + _HANGS_AFTER_SECONDS
        while time.monotonic() < until and not self.should_exit.is_set():
            if process.parent_conn.poll(0.1):
                process.parent_conn.recv()
                return True
        return self.should_exit.is_set()

    def _start(self) -> Process:
        process = Process(self.config, self.sockets)
        self._young[process] = time.monotonic() + READY_SECONDS
        process.start()
        return process

    def join_all(self) -> None:
        """Wait for the workers, which have been told to stop, but not for ever."""
        self._leaving += [(process, self._deadline()) for process in self.processes]
        while self._leaving:
            time.sleep(0.02)
            self._see_off(time.monotonic())

    def _dismiss(self, process: Process) -> None:
        process.terminate()
        self._leaving.append((process, self._deadline()))

    def _deadline(self) -> float:
        return time.monotonic() + (self.config.timeout_graceful_shutdown or 0) + LAST_SECONDS

    def _see_off(self, now: float) -> None:
        for process, deadline in list(self._leaving):
            if process.process.is_alive():
                if now < deadline:
                    continue
                _log.error("Worker [%s] did not stop in time and is ended.", process.pid)
                process.process.kill()
            process.process.join()
            _forget(process)
            self._leaving.remove((process, deadline))


def _forget(process: Process) -> None:
    """Take what a process has measured of its present state from the sums; what it did stays."""
    import_module("prometheus_client.multiprocess").mark_process_dead(process.pid)


def _waiting(process: Process) -> Iterator[bool]:
    """What a worker has answered so far: whether it has started."""
    while process.parent_conn.poll(0):
        yield process.parent_conn.recv()
