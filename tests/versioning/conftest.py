from collections.abc import Callable

import pytest

from catalog.versioning.object_store import ObjectCache, Objects


@pytest.fixture
def objects() -> Objects:
    return Objects(lambda ids: {}, ObjectCache(1 << 26))


@pytest.fixture
def reopened() -> Callable[[Objects], Objects]:
    """Return the same objects as another process would read them: fetched, not cached."""

    def reopen(objects: Objects) -> Objects:
        stored = dict(objects.staged)
        return Objects(
            lambda ids: {each: stored[each] for each in ids if each in stored}, ObjectCache(1 << 26)
        )

    return reopen
