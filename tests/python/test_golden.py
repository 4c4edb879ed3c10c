"""Runs every golden scenario (tests/golden/*.md) with 1 to 4 workers; 2 have their state in files."""

import pytest

from golden import scenarios

ALL = scenarios.all_scenarios()


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize("scenario", ALL, ids=[scenario.name for scenario in ALL])
def test_scenario(scenario: scenarios.Scenario, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if workers == 2:
        monkeypatch.setenv("PATHWAY_MEMORY_LIMIT", "1")
    scenarios.check(scenario, workers)


def test_there_are_scenarios() -> None:
    assert len(ALL) >= 70
    assert len({scenario.name for scenario in ALL}) == len(ALL)
