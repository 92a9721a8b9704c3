"""`ticketchain api` and `ticketchain worker` say what they lack in one sentence (at work: service/test_replicas)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import ticketchain
from tests.cli.test_up import refusal

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize("command", ["api", "worker"])
def test_they_need_a_node_that_all_share(command: str, tmp_path: Path) -> None:
    done = ticketchain(command, "--data", tmp_path / "data", folder=tmp_path)
    assert f"`ticketchain {command}` needs a node that all processes share: give --rpc" in refusal(done)
    assert not (tmp_path / "data").exists(), "nothing was begun"


def test_a_workers_metrics_are_not_open_to_others_without_a_token(tmp_path: Path) -> None:
    words = ("worker", "--data", tmp_path / "data", "--rpc", NOWHERE, "--metrics-port", 0, "--metrics-host", "0.0.0.0")
    assert "set TICKETCHAIN_METRICS_TOKEN" in refusal(ticketchain(*words, folder=tmp_path))
