"""Start processes, keep them running, pass on what they say, and stop them in order. One thread, no polling."""

import errno
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from evalapp.runtime import children, guard
from evalapp.runtime.console import Console, LogFile

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30
# A child that ran this long was healthy, so its next death starts from the first pause again.
HEALTHY_AFTER = 60
LONGEST_LINE = 1_000_000
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class StopRequested(Exception):
    """Somebody asked us to stop while something was being waited for."""


class ChildFailed(Exception):
    """A child ended, or did not become ready, while we were starting."""


@dataclass
class Child:
    """One process to keep: how to start it, how to end it, and its state."""

    name: str
    command: list
    stop_signal: int = signal.SIGTERM
    # Sent when it has not ended after `patience` seconds.
    last_signal: int = signal.SIGKILL
    patience: float = 3
    death_signal: int = signal.SIGKILL
    before_start: Any = None
    options: dict = field(default_factory=dict)
    # A service is stopped after everything that uses it.
    service: bool = False
    # False: it runs once and is not started again.
    keep: bool = True
    # Called with each line of its output, instead of the console.
    on_line: Any = None

    process: Any = None
    log: Any = None
    exit_code: int | None = None
    started: float = 0
    pause: float = 0
    due: float | None = None
    tail: deque = field(default_factory=lambda: deque(maxlen=15))
    rest: bytes = b""
    output_ended: bool = False

    @property
    def running(self):
        """Tell whether it was started and has not ended."""
        return self.process is not None and self.exit_code is None


class Supervisor:
    """The parent of everything `up` starts."""

    def __init__(self, log_dir, console=None):
        self.log_dir = log_dir
        self.console = console or Console()
        self.children = []
        self.stop_requests = 0
        self.stopping = False
        self.selector = selectors.DefaultSelector()
        self._listen_to_signals()
        children.adopt_orphans()
        self.guard = None
        self._start_guard()

    def _listen_to_signals(self):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        for number in STOP_SIGNALS | {signal.SIGCHLD}:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup: meant to go on when the terminal closes
            signal.signal(number, lambda *_: None)
        # The number of each signal arrives as a byte, and the selector wakes up.
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self.selector.register(reader, selectors.EVENT_READ, self._read_signals)

    def _read_signals(self, reader):
        with suppress(BlockingIOError):
            for number in os.read(reader, 512):
                if number in STOP_SIGNALS:
                    self.stop_requests += 1
        self._reap()

    # The guard (guard.py) ends what is left if we are killed.

    def _start_guard(self):
        self.guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        for child in self.children:
            if child.running:
                self._tell_guard(f"+ {child.process.pid} {int(child.stop_signal)} {int(child.last_signal)}")

    def _tell_guard(self, line):
        with suppress(BrokenPipeError):
            self.guard.stdin.write(line + "\n")
            self.guard.stdin.flush()

    # Starting

    def start(self, child):
        """Start the child and keep it."""
        if child not in self.children:
            self.children.append(child)
            child.log = LogFile(self.log_dir / f"{child.name}.log")
        self._spawn(child)

    def _spawn(self, child):
        if child.before_start:
            child.before_start()
        child.due = child.exit_code = None
        child.output_ended = False
        child.started = time.monotonic()
        child.process = children.spawn(
            child.command,
            death_signal=child.death_signal,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **child.options,
        )
        self._tell_guard(f"+ {child.process.pid} {int(child.stop_signal)} {int(child.last_signal)}")
        os.set_blocking(child.process.stdout.fileno(), False)
        self.selector.register(
            child.process.stdout, selectors.EVENT_READ, lambda pipe, child=child: self._read_output(child, pipe)
        )

    def _read_output(self, child, pipe):
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            self.selector.unregister(pipe)
            pipe.close()
            child.output_ended = True
            if child.rest:
                self._line(child, child.rest)
                child.rest = b""
            return
        *lines, child.rest = (child.rest + data).split(b"\n")
        if len(child.rest) > LONGEST_LINE:
            lines, child.rest = [*lines, child.rest], b""
        for line in lines:
            self._line(child, line)

    def _line(self, child, line):
        child.log.write(line + b"\n")
        text = line.decode(errors="replace").rstrip()
        child.tail.append(text)
        if child.on_line:
            child.on_line(text)
        else:
            self.console.child_line(child.name, text)

    # Ending

    def _reap(self):
        """Collect everything that ended, adopted grandchildren as well."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.guard and pid == self.guard.pid:
                self.guard.returncode = os.waitstatus_to_exitcode(status)
                with suppress(OSError):
                    self.guard.stdin.close()
                if not self.stopping:
                    self._start_guard()
                continue
            for child in self.children:
                if child.process is not None and child.process.pid == pid:
                    self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child, exit_code):
        child.process.returncode = child.exit_code = exit_code
        # Its own children would otherwise go on: a granian worker serves without its master.
        children.signal_group(child.process.pid, signal.SIGKILL)
        self._tell_guard(f"- {child.process.pid}")
        if self.stopping or not child.keep:
            return
        if time.monotonic() - child.started > HEALTHY_AFTER:
            child.pause = 0
        child.pause = min(LONGEST_PAUSE, child.pause * 2) if child.pause else FIRST_PAUSE
        child.due = time.monotonic() + child.pause
        self.console.say(f"{child.name} {describe(exit_code)}; starting it again in {child.pause:g} s.")

    # The loop

    def pump(self, timeout=None):
        """Handle what happens until something did, or the time is over; start children whose pause has ended."""
        now = time.monotonic()
        for child in self.children:
            if child.due is not None and child.due <= now and not self.stopping:
                self._spawn_again(child)
        waits = [child.due - now for child in self.children if child.due is not None]
        waits += [timeout] if timeout is not None else []
        for key, _ in self.selector.select(max(0, min(waits)) if waits else None):
            key.data(key.fileobj)

    def _spawn_again(self, child):
        try:
            self._spawn(child)
        except Exception as error:  # whatever stops this start may have passed by the next
            child.pause = min(LONGEST_PAUSE, child.pause * 2)
            child.due = time.monotonic() + child.pause
            self.console.say(f"{child.name} cannot be started: {error} Next try in {child.pause:g} s.")

    def wait(self, ready, what, *, child=None, seconds=None, every=0.05):
        """Run until `ready()`. Raises StopRequested, or ChildFailed when the child ended or the time is over."""
        started = told = time.monotonic()
        while not ready():
            self.pump(every)
            now = time.monotonic()
            if self.stop_requests:
                raise StopRequested
            if child is not None and not child.running and child.output_ended and not ready():
                raise ChildFailed(f"{child.name} {describe(child.exit_code)} while {what}.", child)
            if seconds is not None and now - started > seconds:
                raise ChildFailed(f"Gave up {what} after {seconds:g} s.", child)
            if now - told >= 2:
                told = now
                self.console.progress(f"{what} ({now - started:.0f} s)")
        self.console.progress_done()

    def run(self):
        """Keep everything running until somebody asks us to stop."""
        while not self.stop_requests:
            self.pump()

    def stop(self):
        """Stop the children in the reverse order of their start; those of one stage at once."""
        self.stopping = True
        self.stop_requests = 0
        for child in self.children:
            child.due = None
        for stage in self._stages():
            for child in stage:
                self._signal(child, child.stop_signal)
            started = time.monotonic()
            while any(child.running for child in stage):
                self.pump(0.05)
                for child in stage:
                    late = time.monotonic() - started > child.patience
                    if child.running and (late or self.stop_requests):
                        self._signal(child, child.last_signal)
                if time.monotonic() - started > 15:
                    break  # a process in the kernel's hands: no signal helps
        self.guard.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.guard.wait(10)
        for child in self.children:
            child.log.close()

    def _stages(self):
        """Return what to stop together: first those who use the services, then each service."""
        users = [child for child in self.children if child.running and not child.service]
        services = [child for child in reversed(self.children) if child.running and child.service]
        return [stage for stage in (users, *([service] for service in services)) if stage]

    def _signal(self, child, number):
        if child.running:
            children.signal_group(child.process.pid, number)


def describe(exit_code):
    """Say how a process ended."""
    if exit_code is None:
        return "is still running"
    if exit_code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
