"""Merges that are answered line by line, for whoever asks for `application/x-ndjson`."""

from typing import Any
from uuid import uuid4

import orjson
import pytest

Lake = Any  # The fixture's type lives in conftest, which importlib mode cannot import.
LINES = "application/x-ndjson"


@pytest.fixture
def changed(lake: Lake) -> Lake:
    """The table `b` changed on both sides, so that `day` grew out of `main`; `a` on one."""
    lake.branch("day")
    lake.write("b", "day", first="1")
    lake.merge("day", squash=True)
    lake.write("b", "day", second="2")
    lake.write("a", "day", run="1")
    return lake


def lines(lake: Lake, body: Any, accept: str = LINES, **headers: str) -> list[Any]:
    response = lake.client.post(
        f"/api/v1/warehouses/{lake.name}/merges", json=body, headers={"Accept": accept, **headers}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == LINES
    return [orjson.loads(line) for line in response.text.splitlines()]


def test_tables_that_both_changed_are_told_as_they_are_done_and_the_answer_comes_last(
    changed: Lake,
) -> None:
    body = {"source": "day", "target": "main", "dry_run": True}
    told = lines(changed, body)
    assert told[0] == {"done": 0, "total": 1, "key": None, "conflict": False}
    assert told[1] == {"done": 1, "total": 1, "key": ["ns", "b"], "conflict": False}
    assert told[2] == {"status": 200, "body": changed.merge("day", dry_run=True)}
    assert len(told) == 3


@pytest.mark.parametrize("accept", [f"{LINES};q=1, */*", f"application/json, {LINES.upper()}"])
def test_the_type_may_stand_among_others(changed: Lake, accept: str) -> None:
    body = {"source": "day", "target": "main"}
    assert lines(changed, body, accept)[-1]["body"]["commit_id"] == changed.head()


def test_any_other_type_is_answered_as_ever(changed: Lake) -> None:
    response = changed.client.post(
        f"/api/v1/warehouses/{changed.name}/merges",
        json={"source": "day", "target": "main"},
        headers={"Accept": "*/*"},
    )
    assert response.headers["content-type"] == "application/json"
    assert response.json()["commit_id"] == changed.head()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source": "nowhere", "target": "main"}, 404, "no-such-revision"),
        ({"source": "day", "target": "main", "plan_id": "0" * 64}, 409, "stale-plan"),
        ({"source": "day"}, 400, "invalid-input"),
    ],
)
def test_a_problem_comes_in_the_last_line_with_its_status(
    changed: Lake, body: Any, status: int, code: str
) -> None:
    last = lines(changed, body)[-1]
    assert (last["status"], last["body"]["status"], last["body"]["code"]) == (status, status, code)


def test_a_conflict_is_told_with_its_table(changed: Lake) -> None:
    changed.write("b", third="3")
    told = lines(changed, {"source": "day", "target": "main", "strategy": {"default": "fail"}})
    assert told[-1]["status"] == 409
    assert [each["key"] for each in told[-1]["body"]["conflicts"]] == [["ns", "b"]]


def test_a_key_makes_both_ways_of_asking_one_request(changed: Lake) -> None:
    body = {"source": "day", "target": "main"}
    key = {"Idempotency-Key": str(uuid4())}
    first = lines(changed, body, **key)
    head = changed.head()
    again = changed.client.post(f"/api/v1/warehouses/{changed.name}/merges", json=body, headers=key)
    assert first[-1] == {"status": 200, "body": again.json()}
    assert lines(changed, body, **key) == first[-1:]
    assert changed.head() == head == again.json()["commit_id"]
