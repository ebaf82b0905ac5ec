"""Arguments and options that commands of several groups take."""

from typing import Annotated

import typer

from catalog.cli.completion import complete_branch, complete_revision, complete_tag

Branch = Annotated[str, typer.Argument(metavar="BRANCH", autocompletion=complete_branch)]
Tag = Annotated[str, typer.Argument(metavar="TAG", autocompletion=complete_tag)]
Revision = Annotated[
    str,
    typer.Argument(
        metavar="REVISION",
        help="A branch, tag, commit id, rev~n or branch@{time}.",
        autocompletion=complete_revision,
        show_default=False,
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="REVISION",
        help="A branch, release or commit. (default: the default branch)",
        autocompletion=complete_revision,
        show_default=False,
    ),
]
Message = Annotated[
    str | None,
    typer.Option(
        "--message", "-m", metavar="TEXT", help="The commit's message.", show_default=False
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")
]
