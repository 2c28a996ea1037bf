"""Machines: network namespaces on one bridge (Linux, as root), else addresses of the loopback interface."""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.cluster.forwarder import forward

# For benchmarks of networks (RFC 2544): nobody is really there. Each network takes 16 of these: the first for machines,
# the upper eight for visitors.
BENCHMARKS = [f"198.{18 + number // 16}.{number % 16 * 16}" for number in range(32)]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Machine:
    """One machine; without a namespace it is an address only."""

    name: str
    address: str
    namespace: str = ""

    def command(self, *words: str) -> list[str]:
        """The command that runs this one there."""
        return ["ip", "netns", "exec", self.namespace, *words] if self.namespace else list(words)

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Nothing gets there or comes from there: packets are lost, nobody says so."""
        ip("link", "set", self.namespace, "down")
        try:
            yield
        finally:
            ip("link", "set", self.namespace, "up")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread makes its sockets there."""
        if not self.namespace:
            yield
            return
        with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{self.namespace}") as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(here.fileno())

    def listen(self, port: int) -> socket.socket:
        """A listening socket of its loopback interface, for this process."""
        with self.entered():
            listener = socket.socket()
            listener.bind((LOOPBACK, port))
        listener.listen(128)
        return listener


@dataclass
class Network:
    """Machines, and where visitors come from."""

    machines: list[Machine]
    visitors: str
    """The start of their addresses: two more numbers make one."""
    are_apart: bool

    def visitor(self, seat: int, visit: int) -> str:
        """The address of a visitor: each has another one."""
        if not self.are_apart:
            return f"{self.visitors}.{seat % 250 + 1}.{visit % 250 + 1}"
        network, first = self.visitors.rsplit(".", 1)
        number = (seat * 97 + visit) % 2_000 + 10
        return f"{network}.{int(first) + number // 250}.{number % 250 + 1}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def enter(namespace: int) -> None:
    """Moves this thread into a network namespace (setns(2)); sockets stay where they were made."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def network(names: Sequence[str]) -> Iterator[Network]:
    """So many machines; removed with the block."""
    with ExitStack() as stack:
        try:
            bridge, numbers = new_bridge(stack)
        except (OSError, subprocess.CalledProcessError):
            machines = [Machine(name, LOOPBACK) for name in names]
            yield Network(machines, "127.1", are_apart=False)
            return
        machines = []
        for number, name in enumerate(names, 2):
            address, namespace = f"{numbers}.{number}", f"{bridge}{name}"
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
            ip("link", "add", namespace, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            ip("link", "set", namespace, "master", bridge, "up")
            for words in (("addr", "add", f"{address}/20", "dev", "eth0"), *UP):
                ip("-n", namespace, *words)
            machines.append(Machine(name, address, namespace))
        start, third = numbers.rsplit(".", 1)
        yield Network(machines, f"{start}.{int(third) + 8}", are_apart=True)


UP = (("link", "set", "eth0", "up"), ("link", "set", "lo", "up"))


def new_bridge(stack: ExitStack) -> tuple[str, str]:
    """The name of a bridge that nobody had, and the first three numbers of its addresses.

    :raises OSError: this machine has no `ip`, or does not allow it
    """
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise PermissionError
    for number, numbers in enumerate(BENCHMARKS):
        bridge = f"sr{number}"
        try:
            ip("link", "add", bridge, "type", "bridge")
        except subprocess.CalledProcessError as error:
            if b"exists" in error.stderr:
                continue
            raise
        stack.callback(ip, "link", "del", bridge)
        ip("addr", "add", f"{numbers}.1/20", "dev", bridge)
        ip("link", "set", bridge, "up")
        start, third = numbers.rsplit(".", 1)
        # All of them are this machine's: a visitor may come from each.
        ip("route", "add", "local", f"{start}.{int(third) + 8}.0/21", "dev", bridge)
        return bridge, numbers
    raise OSError("every network is taken")


@contextmanager
def forwarded(machines: Sequence[Machine], port: int) -> Iterator[None]:
    """Lets a server on the loopback interface of this machine be reached on that of the others."""
    with ExitStack() as stack:
        for machine in machines:
            if machine.namespace:
                stack.enter_context(forward(machine.listen(port), LOOPBACK, port))
        yield
