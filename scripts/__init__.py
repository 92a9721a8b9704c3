"""The project's own tools: `python -m scripts.NAME` in a checkout's root; not in the installed package."""
