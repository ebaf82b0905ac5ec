"""The tree of errors, grouped by what the caller can do next.

Each class has a `code`, kebab-case, that never changes its meaning once released; `docs/errors.md`
lists them. An error's message is one sentence that names the offending value; `facts` carries the
same as data for clients. The first line of a class's docstring is the title of its problem
document: a sentence for users. `api/errors.py` maps classes to status codes, nothing else does.
"""

from typing import Any, ClassVar


class CatalogError(Exception):
    """Base of every error that Mainstem raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(CatalogError):
    """What was named does not exist."""

    code = "not-found"


class NoSuchWarehouse(NotFound):
    """No warehouse has this name."""

    code = "no-such-warehouse"


class NoSuchNamespace(NotFound):
    """The namespace is absent at this revision."""

    code = "no-such-namespace"


class NoSuchTable(NotFound):
    """The table is absent at this revision."""

    code = "no-such-table"


class NoSuchView(NotFound):
    """The view is absent at this revision."""

    code = "no-such-view"


class NoSuchFunction(NotFound):
    """The function is absent at this revision."""

    code = "no-such-function"


class NoSuchRevision(NotFound):
    """No branch, tag or commit is called so."""

    code = "no-such-revision"


class NoSuchPlan(NotFound):
    """No scan plan of this table has this id."""

    code = "no-such-plan"


class NoSuchPlanTask(NotFound):
    """No scan plan of this table has this task."""

    code = "no-such-plan-task"


class NoSuchFile(NotFound):
    """Object storage does not hold the file."""

    code = "no-such-file"


class AlreadyExists(CatalogError):
    """The name is taken."""

    code = "already-exists"


class InvalidInput(CatalogError):
    """The request is malformed or asks for the impossible."""

    code = "invalid-input"


class ValidationFailed(InvalidInput):
    """The request is well formed, but breaks a rule of the format."""

    code = "validation-failed"


class ContradictoryInput(InvalidInput):
    """The request asks for two things that exclude each other."""

    code = "contradictory-input"


class IdempotencyKeyReused(InvalidInput):
    """The idempotency key belongs to another request."""

    code = "idempotency-key-reused"


class BodyTooLarge(InvalidInput):
    """The request body is longer than the server accepts."""

    code = "body-too-large"


class Unauthenticated(CatalogError):
    """The caller did not prove who they are."""

    code = "unauthenticated"


class Forbidden(CatalogError):
    """The caller is known and may not do this."""

    code = "forbidden"


class ProtectedBranch(Forbidden):
    """A protection refuses this; `rule` names which."""

    code = "protected-branch"


class ReadOnlyRevision(Forbidden):
    """A write was sent to a tag or a commit."""

    code = "read-only-revision"


class Conflict(CatalogError):
    """The state moved; look again and decide anew."""

    code = "conflict"


class CommitFailed(Conflict):
    """A requirement failed, or the head kept moving: refresh and retry."""

    code = "commit-failed"


class HeadMoved(CommitFailed):
    """The head kept moving until the time for a commit was over: retry, nothing is wrong."""

    code = "head-moved"


class NamespaceNotEmpty(Conflict):
    """The namespace still holds tables, views or namespaces."""

    code = "namespace-not-empty"


class AlreadyAnswered(Conflict):
    """Another request under the same idempotency key was answered while this one ran."""

    code = "already-answered"


class StaleHead(Conflict):
    """The branch is not where the caller expected it."""

    code = "stale-head"


class StalePlan(Conflict):
    """A merge would not do what the plan does that the caller saw."""

    code = "stale-plan"


class MergeConflicts(Conflict):
    """A merge met changes that do not go together; `conflicts` lists all of them."""

    code = "merge-conflicts"


class Unavailable(CatalogError):
    """A part that the server needs does not answer; nothing was changed, retry later."""

    code = "unavailable"


class StorageUnavailable(Unavailable):
    """Object storage failed; nothing was changed, retry later."""

    code = "storage-unavailable"


class CommitStateUnknown(CatalogError):
    """The database did not say whether the commit took place: look before retrying."""

    code = "commit-state-unknown"


class Corruption(CatalogError):
    """A promise of our own is broken; never the caller's fault."""

    code = "corruption"
