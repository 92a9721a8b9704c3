"""The demo itself, end to end: the acceptance test of the main job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import ticketchain

SECONDS = 280


@pytest.mark.timeout(300)
def test_the_main_job_runs_and_chain_and_books_agree(tmp_path: Path) -> None:
    done = ticketchain("demo", "--json", folder=tmp_path, settings={"TMPDIR": str(tmp_path)}, patience=SECONDS)
    result = json.loads(done.stdout) if done.stdout else {"checks": []}
    assert done.returncode == 0, (done.stderr, [check for check in result["checks"] if not check["good"]])
    assert result["agrees"] and result["audit"]["agrees"]
    assert len(result["checks"]) >= 75
    assert list(tmp_path.glob("ticketchain-demo-*")) == [], "its folder is removed"


def test_a_service_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    options = ("--url", "http://127.0.0.1:9", "--operator-key", "x", "--rpc", "http://127.0.0.1:9")
    done = ticketchain("demo", *options, folder=tmp_path)
    assert done.returncode == 1
    assert "The demo stopped: GET /v1/ledger: the service does not answer" in done.stdout


def test_a_running_service_needs_its_keys_and_chain(tmp_path: Path) -> None:
    done = ticketchain("demo", "--url", "http://127.0.0.1:9", folder=tmp_path)
    assert done.returncode == 2 and "--operator-key and --rpc" in done.stderr
