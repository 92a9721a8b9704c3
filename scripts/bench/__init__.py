"""Benchmarks, all of one form: `python -m scripts.bench NAME [--json] [--chart FILE.svg]`; see docs/bench.md.

Each measures its ceiling in the same run, counts that its work was right, and fails if it was not.
"""
