"""Two servers behind the shipped nginx configuration, with simulated visitors and failures, on a separate PostgreSQL.

`python -m benchmarks load` does the same for longer.
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


def test_every_registration_survives_all_failures_of_the_load_test(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Calls that fail, killed workers, reloads, a column that arrives, a cache and an org that hang, an org that
    answers 503, a lost server, a database that restarts, servers that restart: see ``bench_load.TROUBLES``. Every error
    page that a visitor sees leads back.
    """
    if not_installed := missing():
        pytest.skip(f"not installed: {', '.join(not_installed)}")
    ledger, folder = Ledger(), tmp_path_factory.mktemp("cluster")
    with running_cluster(folder) as cluster:
        visited(cluster, ledger, seconds=15, visitors=6)
        cluster.site.manage("selfreg_recover")
        joined = join(ledger, cluster.site)
    assert joined.wrong == NOTHING_WRONG
    assert len(ledger.happened) == len(TROUBLES)
    assert len(ledger.signed_in) >= 6
    assert ledger.seen["workers killed"]
