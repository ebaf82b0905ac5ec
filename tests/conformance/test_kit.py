"""Apache Iceberg's own catalog tests pass whole; `scripts/conformance` runs them by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.kit import DEFAULT, Configuration, Kit, build_kit, run_kit, summary, whole

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return build_kit(tmp_path_factory.mktemp("kit"))


@pytest.mark.parametrize("configuration", DEFAULT, ids=str)
def test_every_case_passes(
    kit: Kit, configuration: Configuration, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = store = None
    if configuration.database == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        url = new_database()
    if configuration.files == "s3":
        store = request.getfixturevalue("s3")
    outcomes = run_kit(kit, configuration, tmp_path, database_url=url, store=store)
    assert whole(outcomes), "\n".join(summary(outcomes))
