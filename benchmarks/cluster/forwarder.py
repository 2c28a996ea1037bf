"""Forwards TCP connections, and may be told to take its time: a process of its own.

`python -m benchmarks.cluster.forwarder FD HOST PORT SECONDS`: FD is a listening socket. After SIGUSR1 every piece of
data is held back for so many seconds, after SIGUSR2 no longer.
"""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.servers import ROOT, end


@contextmanager
def forward(listener: socket.socket, host: str, port: int, seconds: float = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A forwarder to this server, ended with the block; the socket is closed here.

    :param seconds: how long it holds data back when it is slow
    """
    with listener:
        command = [sys.executable, "-m", "benchmarks.cluster.forwarder", str(listener.fileno()), host, str(port)]
        process = subprocess.Popen([*command, str(seconds)], cwd=ROOT, pass_fds=[listener.fileno()])
    try:
        yield process
    finally:
        end(process)


class Forwarder:
    """The two directions of every connection."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.host, self.port, self.seconds, self.is_slow = host, port, seconds, False

    async def serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self.be_slow, True)
        loop.add_signal_handler(signal.SIGUSR2, self.be_slow, False)
        async with await asyncio.start_server(self.accept, sock=listener) as server:
            await server.serve_forever()

    def be_slow(self, is_slow: bool) -> None:
        self.is_slow = is_slow

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self.copy(reader, far_writer), self.copy(far_reader, writer))

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until one side ends; a reset is passed on as one."""
        try:
            while data := await reader.read(65_536):
                if self.is_slow:
                    await asyncio.sleep(self.seconds)
                writer.write(data)
                await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(
        Forwarder(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])).serve(socket.socket(fileno=int(sys.argv[1])))
    )
