"""Processes that are started here and end with us, and waiting for what they do."""
import os
import signal
import socket
import subprocess
import time


class Failed(Exception):
    """Something is not as it has to be; the text says what."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def same(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, should be {wanted!r}")


def wait(what, condition, seconds=60):
    """Until the condition gives something true, which is returned. What it raises as long as it is not ready does not matter."""
    end, pause, last = time.monotonic() + seconds, 0.02, None
    while True:
        try:
            result = condition()
            if result:
                return result
            last = None
        except (OSError, LookupError, Failed) as error:
            last = error
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}" + (f" ({last})" if last else ""))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


_given = set()


def free_port():
    """A port of this machine that nobody else here is given."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


class Process:
    """A program with its output in a file."""

    def __init__(self, name, arguments, log, environment=None):
        self.name, self.arguments, self.log = name, arguments, log
        self.environment = {**os.environ, **(environment or {})}
        self.handle = None

    def start(self):
        with open(self.log, "ab") as output:
            # A group of its own: an interrupt at the keyboard reaches the driver alone, which then ends everything in order.
            self.handle = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environment,
                start_new_session=True)

    @property
    def is_running(self):
        return self.handle is not None and self.handle.poll() is None

    def require(self):
        if not self.is_running:
            raise Failed(f"{self.name} has ended: see {self.log}")

    def stop(self, seconds=20):
        """In good order; by force when that takes too long."""
        if self.is_running:
            self.handle.terminate()
            try:
                self.handle.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self.handle = None

    def kill(self):
        if self.is_running:
            self.handle.send_signal(signal.SIGKILL)
            self.handle.wait()
        self.handle = None
