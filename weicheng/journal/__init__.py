"""日志: the append-only log, digests of stored bytes, sealing of personal fields, the site's own state."""
