"""A short run of the chaos command: whatever dies meanwhile, every claim is its one bill."""

import pytest
from bench.chaos.__main__ import short
from bench.chaos.run import run


@pytest.mark.chaos
def test_claims_under_kills_pauses_restarts_and_faults_are_one_bill_each() -> None:
    report = run(short(seed=11))
    assert report["wrong"] == []
    assert report["take-overs unexplained"] == []
    assert report["bills"]["live"] > 40
    assert sum(report["killed"].values()) > 2  # else nothing was proved
    assert report["database"]
    assert report["requests that carried bills"] > 2
