"""The project's own tools, run as `python -m scripts.NAME` from the root of a checkout; not part of the installed package."""
