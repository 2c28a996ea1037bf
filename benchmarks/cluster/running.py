"""The whole of it: two servers of the site behind one nginx, with one PostgreSQL, one Redis and one org."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.data import PostgreSQL, Redis, binary, running_postgresql, running_redis
from benchmarks.cluster.machines import Machine, Network, forwarded, network
from benchmarks.cluster.proxy import Proxy, nginx, running_proxy
from benchmarks.servers import Server, Site, running_site

MACHINES = ("proxy", "web1", "web2", "data")


@dataclass(frozen=True)
class Cluster:
    """What runs."""

    network: Network
    site: Site
    proxy: Proxy
    postgresql: PostgreSQL
    redis: Redis

    @contextmanager
    def without(self, server: Server) -> Iterator[None]:
        """One server is lost for good, with what it was at; with the end of the block there is another in its place."""
        if server.machine and server.machine.namespace:
            with server.machine.unplugged():
                yield
                server.die()
        else:
            server.die()
            yield
        server.run()


def missing() -> list[str]:
    """The programs that this machine lacks for it."""
    needed = {"initdb": binary("initdb"), "redis-server": shutil.which("redis-server"), "nginx": nginx()}
    return [name for name, path in needed.items() if not path]


@contextmanager
def running_cluster(folder: Path, *, workers: int = 2, threads: int = 8) -> Iterator[Cluster]:
    """All of it, ended with the block. Logs and sockets are in ``folder``, which nginx has to reach.

    :param workers: of each server
    :param threads: of each worker
    """
    with ExitStack() as stack:
        net = stack.enter_context(network(MACHINES))
        machines: dict[str, Machine] = {machine.name: machine for machine in net.machines}
        web = [machines["web1"], machines["web2"]]
        postgresql = stack.enter_context(running_postgresql(machines["data"]))
        cache = stack.enter_context(running_redis(machines["data"], folder / "redis.log"))
        site = stack.enter_context(running_site(postgresql.url, folder, servers=0, CACHE_URL=cache.url))
        stack.enter_context(forwarded(web, site.org.port))
        for machine in web:
            site.start(workers, threads, machine)
        upstreams = [server.address.removeprefix("http://") for server in site.servers]
        proxy = stack.enter_context(running_proxy(machines["proxy"], upstreams, folder))
        yield Cluster(net, site, proxy, postgresql, cache)
