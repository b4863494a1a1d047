"""Settings of the worker processes that tests start and kill: the apps up to notices, a short lease."""

from weicheng.settings import *  # noqa: F403
from weicheng.settings import INSTALLED_APPS as _ALL

INSTALLED_APPS = _ALL[: _ALL.index("weicheng.notices") + 1]
PERIODIC: list[tuple[str, float]] = []
WORKER_LEASE_S = 1
WORKER_INTERVAL_S = 0.1
