"""Two servers behind the shipped nginx file, with real visitors, while everything breaks. On a PostgreSQL of its own.

`python -m benchmarks load` does the same for minutes.
"""

import pytest
from django.db import connection

from benchmarks.bench_load import TROUBLES, Ledger, join, visited
from benchmarks.cluster.running import missing, running_cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="runs once, with the tests on PostgreSQL"),
]

NOTHING_WRONG: dict[str, list[str]] = {"errors": [], "lost": [], "double": [], "unexplained": []}


def test_nobody_is_lost_while_everything_breaks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Calls that fail, killed workers, reloads, a column that arrives, a cache and an org that hang, an org that
    answers 503, a lost server, a database that restarts, servers that restart: see ``bench_load.TROUBLES``. Every error
    page that a visitor sees leads back.
    """
    if lacking := missing():
        pytest.skip(f"not installed: {', '.join(lacking)}")
    ledger, folder = Ledger(), tmp_path_factory.mktemp("cluster")
    with running_cluster(folder) as cluster:
        visited(cluster, ledger, seconds=15, visitors=6)
        cluster.site.manage("selfreg_recover")
        joined = join(ledger, cluster.site)
    assert joined.wrong == NOTHING_WRONG
    assert len(ledger.happened) == len(TROUBLES)
    assert len(ledger.signed_in) >= 6
    assert ledger.seen["workers killed"]
