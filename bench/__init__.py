"""`make bench`: how fast the site is beside a bare insert, on both databases; writes docs/benchmarks.md.

sites.py makes and starts installations · prepare.py fills one with people · rows.py loads the findings ·
client.py sends requests and keeps the time · measures.py says what is measured · report.py writes it down.
Nothing here is part of the site: `settings.py`, `urls.py` and `bare.py` exist for the measured server only.
"""
