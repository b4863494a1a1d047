"""The site's own settings with one address more: the bare insert that ours is compared with."""

from weicheng.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
