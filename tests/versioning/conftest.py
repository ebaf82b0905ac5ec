from collections.abc import Callable

import pytest
from hypothesis import settings

from catalog.versioning.object_store import ObjectCache, Objects

settings.register_profile("mainstem", deadline=None, max_examples=60)
settings.load_profile("mainstem")


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
