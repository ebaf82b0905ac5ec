"""The daily release: branch, run, check, merge, tag; each step can be taken up again after a crash.

What has been done is read from the server and nowhere else: the tag says that the release is made,
a merge commit with the release's name in its metadata that only the tag is missing, the branch that
the command had begun.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from catalog.cli.changes import conflicts_shown, summary
from catalog.cli.child import SIGNAL_BASE, Ended, run_command
from catalog.cli.client import Json
from catalog.cli.commands import Session
from catalog.cli.failures import ExitCode, Failure, Refused
from catalog.cli.output import counted, duration
from catalog.clock import format_time, now, parse_time

RELEASE = "mainstem.release"
BRANCH = "mainstem.release.branch"
SOURCE = "mainstem.release.source"

T = TypeVar("T")

# Clocks of replicas differ a little: a merge may bear an earlier time than what it merged.
_CLOCKS_DIFFER = timedelta(hours=1)
# How far back a merge is looked for whose branch is gone.
_RECENT = timedelta(days=7)
# A restarting server or database is back within this; after an hour of dbt, waiting is cheaper.
_WAITS_SECONDS = (0.5, 1, 2, 4, 8, 15)
_MERGE_ATTEMPTS = 20
# From here on a command's own exit code cannot be taken for one of ours.
_FIRST_FOREIGN_CODE = 7


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be released, from where to where, and by which command."""

    name: str
    branch: str
    start: str
    target: str
    check: str
    command: tuple[str, ...]
    message: str | None
    details_url: str | None
    delete_branch: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The commit of the target that is the release, and the head of the branch that it merged."""

    commit_id: str
    source: str


def run(session: Session, release: Release) -> Json:
    """Make the release, or as much of it as is missing; return what there is now.

    Raises:
        Failure: if it is not made; the target is as it was, unless the sentence says otherwise.
    """
    _look_before(session, release)
    tag = _find(session, "tags", release.name)
    if tag is not None:
        session.output.step(f"{release.name} is released already, as {tag['commit_id']}")
        merged = Merged(tag["commit_id"], tag["metadata"].get(SOURCE, ""))
        _delete_branch(session, release, merged)
        return _document(release, merged, ended=None)
    merged_before = _find_merge(session, release, release.target)
    if merged_before is not None:
        session.output.step(
            f"{release.branch} was merged by an earlier run, as {merged_before.commit_id}"
        )
        return _finish(session, release, merged_before, ended=None)
    _begin_branch(session, release)
    ended = _run_command(session, release)
    source = _patiently(lambda: _report(session, release, ended))
    if not ended.succeeded:
        raise _command_failed(release, ended)
    merged = _patiently(lambda: _merge(session, release, source))
    return _finish(session, release, merged, ended=ended)


def _look_before(session: Session, release: Release) -> None:
    program = release.command[0]
    if shutil.which(program) is None:
        raise Failure(
            ExitCode.NO_SUCH_COMMAND, f"There is no command {program!r} to run; nothing was begun."
        )
    session.get("branches", release.target)
    if _find(session, "branches", release.name) is not None:
        raise Failure(
            ExitCode.STATE,
            f"A branch is called {release.name}, so no tag can be; choose another --name.",
        )


def _begin_branch(session: Session, release: Release) -> None:
    body = {"name": release.branch, "from": release.start}
    try:
        created = session.post("branches", body=body)
    except Refused:
        existing = _find(session, "branches", release.branch)
        if existing is None:
            raise
        _mark_pending(session, release, existing["commit_id"])
        session.output.step(f"Branch {release.branch} is there already: going on with it")
        return
    head = session.output.short(created["commit_id"])
    session.output.step(f"Branch {release.branch} begins at {head} ({release.start})")


def _mark_pending(session: Session, release: Release, head: str) -> None:
    # A branch without commits of its own has the target's head, which is not ours to mark.
    if head != session.get("branches", release.target)["commit_id"]:
        _post_check(session, release, head, "pending", f"Being made for {release.name}")


def _run_command(session: Session, release: Release) -> Ended:
    environment = {
        **os.environ,
        "MAINSTEM_SERVER": session.client.server,
        "MAINSTEM_URI": f"{session.client.server}/iceberg",
        "MAINSTEM_WAREHOUSE": f"{session.warehouse}@{release.branch}",
        "MAINSTEM_BRANCH": release.branch,
        "MAINSTEM_AUTHOR": session.client.author,
    }
    try:
        return run_command(release.command, environment, output_to_stderr=session.output.as_json)
    except OSError as error:
        raise Failure(
            ExitCode.NOT_EXECUTABLE,
            f"{release.command[0]} cannot be run: {error.strerror}. {_kept(release)}",
        ) from error


def _report(session: Session, release: Release, ended: Ended) -> str:
    head = str(session.get("branches", release.branch)["commit_id"])
    program = Path(release.command[0]).name
    how = f"on {ended.stopped_by.name} " if ended.stopped_by is not None else ""
    state = "success" if ended.succeeded else "failure"
    text = f"{program} ended {how}with exit code {ended.exit_code} after {duration(ended.seconds)}"
    _post_check(session, release, head, state, text)
    if ended.succeeded:
        session.output.step(f"Check {release.check}: {text}")
    return head


def _post_check(session: Session, release: Release, head: str, state: str, text: str) -> None:
    body = {
        "name": release.check,
        "state": state,
        "summary": text,
        "details_url": release.details_url,
    }
    session.post("commits", head, "checks", body=body)


def _merge(session: Session, release: Release, source: str) -> Merged:
    # The head is named in the request, so that no merge of this release by another run, and none of
    # ours whose answer was lost, can come between the look and the merge.
    for _ in range(_MERGE_ATTEMPTS):
        head = session.get("branches", release.target)["commit_id"]
        done = _find_merge(session, release, head)
        if done is not None:
            return done
        try:
            result = _post_merge(session, release, source, head)
        except Refused as refusal:
            if refusal.document.get("code") != "stale-head":
                raise _merge_refused(session, release, refusal) from refusal
            continue
        if result["commit_id"] == head:
            session.output.step(
                f"{release.target} has all of {release.branch} already: nothing to merge"
            )
        else:
            changed = summary(result["changes"])
            session.output.step(f"Merged into {release.target}: {changed}")
        return Merged(result["commit_id"], source)
    raise Failure(
        ExitCode.STATE,
        f"{release.target} kept moving while {release.branch} was to be merged. {_kept(release)}",
    )


def _post_merge(session: Session, release: Release, source: str, head: str) -> Json:
    body = {
        # The commit that was checked, and not what may have come to the branch since.
        "source": source,
        "target": release.target,
        "message": release.message
        or f"Release {release.name}: merge {release.branch} into {release.target}",
        "metadata": {RELEASE: release.name, BRANCH: release.branch, SOURCE: source},
        "expected_target_head": head,
    }
    with session.output.waiting(f"Merging {release.branch} into {release.target}"):
        return session.post("merges", body=body)


def _finish(session: Session, release: Release, merged: Merged, *, ended: Ended | None) -> Json:
    _patiently(lambda: _tag(session, release, merged))
    session.output.step(f"Tag {release.name} names {session.output.short(merged.commit_id)}")
    _delete_branch(session, release, merged)
    return _document(release, merged, ended=ended)


def _tag(session: Session, release: Release, merged: Merged) -> None:
    body = {
        "name": release.name,
        "at": merged.commit_id,
        "message": release.message or f"Release of {release.branch} into {release.target}",
        "metadata": {RELEASE: release.name, BRANCH: release.branch, SOURCE: merged.source},
    }
    try:
        session.post("tags", body=body)
    except Refused:
        tag = _find(session, "tags", release.name)
        if tag is None or tag["commit_id"] != merged.commit_id:
            raise


def _delete_branch(session: Session, release: Release, merged: Merged) -> None:
    """Delete the branch if asked; once the release is made, failing at this does not undo it."""
    if not release.delete_branch:
        return
    try:
        branch = _find(session, "branches", release.branch)
        if branch is None:
            return
        if branch["commit_id"] != merged.source:
            session.output.say(
                f"Branch {release.branch} has moved since it was merged, so it is kept."
            )
            return
        session.delete("branches", release.branch)
    except Failure as failure:
        session.output.say(f"Branch {release.branch} is kept: {failure.message}")
        return
    session.output.step(f"Branch {release.branch} is deleted")


def _find(session: Session, kind: str, name: str) -> Json | None:
    try:
        return session.get(kind, name)
    except Refused as refusal:
        if refusal.exit_code == ExitCode.NOT_FOUND:
            return None
        raise


def _find_merge(session: Session, release: Release, head: str) -> Merged | None:
    """Find this release's merge in the history of `head`, by the name in its metadata."""
    branch = _find(session, "branches", release.branch)
    if branch is None:
        since = now() - _RECENT
    else:
        tip = session.get("commits", branch["commit_id"])
        since = parse_time(tip["committed_at"]) - _CLOCKS_DIFFER
    for commit in session.pages("commits", member="commits", ref=head, since=format_time(since)):
        metadata = commit["metadata"]
        if metadata.get(RELEASE) == release.name:
            return Merged(commit["commit_id"], metadata.get(SOURCE, ""))
    return None


def _patiently(act: Callable[[], T]) -> T:
    """Repeat what looks before it acts while the server does not answer, for half a minute."""
    for seconds in _WAITS_SECONDS:
        try:
            return act()
        except Failure as failure:
            if failure.exit_code != ExitCode.UNAVAILABLE:
                raise
            time.sleep(seconds)
    return act()


def _command_failed(release: Release, ended: Ended) -> Failure:
    program = Path(release.command[0]).name
    after = duration(ended.seconds)
    if ended.stopped_by is not None:
        told = f"{program} was stopped by {ended.stopped_by.name} after {after}"
        code = SIGNAL_BASE + ended.stopped_by
    else:
        told = f"{program} failed with exit code {ended.exit_code} after {after}"
        code = ended.exit_code if ended.exit_code >= _FIRST_FOREIGN_CODE else ExitCode.NO
    return Failure(code, f"{told}. {_kept(release)}", _document(release, merged=None, ended=ended))


def _merge_refused(session: Session, release: Release, refusal: Refused) -> Failure:
    if refusal.conflicts and not session.output.as_json:
        session.output.answer(refusal.document, conflicts_shown(refusal.conflicts))
    reason = (
        f"{counted(len(refusal.conflicts), 'conflict')} between {release.branch} and "
        f"{release.target}"
        if refusal.conflicts
        else refusal.message
    )
    document = {**_document(release, merged=None, ended=None), **refusal.document}
    return Failure(refusal.exit_code, f"{reason}. {_kept(release)}", document)


def _kept(release: Release) -> str:
    return (
        f"{release.target} is unchanged and {release.branch} is kept: look with "
        f"`mainstem diff {release.target} {release.branch}` and `mainstem show {release.branch}`, "
        "then run the same command again."
    )


def _document(release: Release, merged: Merged | None, *, ended: Ended | None) -> Json:
    command = None
    if ended is not None:
        command = {"exit_code": ended.exit_code, "seconds": round(ended.seconds, 3)}
    return {
        "release": release.name,
        "released": merged is not None,
        "commit_id": merged.commit_id if merged else None,
        "branch": release.branch,
        "target": release.target,
        "source_commit_id": merged.source if merged else None,
        "command": command,
    }
