"""What the worker does for files: decode what came in, clear away what nobody refers to."""

from datetime import datetime, timedelta

from weicheng.evidence import copies, storage, uploads


def check(now: datetime) -> int:
    """Decode pictures received since the last call and make their copies; return how many."""
    return copies.check_new(at=now, most=20)


def sweep(now: datetime) -> int:
    """Remove uploads nobody finished and files that no row names; return how many."""
    return uploads.sweep_uploads(at=now) + storage.sweep_orphans(timedelta(days=1), at=now)
