"""`mainstem sql`: queries of a revision, what they print and write, and the shell."""

import hashlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typer.testing import CliRunner

from catalog.cli.duck import store_options
from catalog.cli.main import app
from catalog.cli.sql_shell import Words, history_file, run
from tests.servers import serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slides(new_lake, tmp_path_factory):
    """Give a warehouse whose `main` has features.slides with two rows; release/1 has one.

    All tests share it; one that writes has a branch of its own.
    """
    lake = new_lake(tmp_path_factory.mktemp("slides"))
    created = lake.run(
        "sql",
        f"CREATE SCHEMA {lake.warehouse}.features;"
        f"CREATE TABLE {lake.warehouse}.features.slides (id INTEGER, grade VARCHAR);"
        f"INSERT INTO {lake.warehouse}.features.slides VALUES (1, 'benign')",
    )
    assert created.exit_code == 0, created.stderr
    lake.ok("tag", "create", "release/1")
    assert lake.run("sql", "INSERT INTO features.slides VALUES (2, NULL)").exit_code == 0
    return lake


def test_a_query_prints_rows_of_the_default_branch(slides) -> None:
    result = slides.run("sql", "SELECT * FROM features.slides ORDER BY id")
    assert (result.exit_code, result.stdout) == (0, "1\tbenign\n2\t\n")


def test_a_query_reads_another_revision(slides) -> None:
    query = "SELECT count(*) FROM features.slides"
    assert slides.run("sql", "--at", "release/1", query).stdout == "1\n"
    assert slides.run("sql", query).stdout == "2\n"


def test_tables_of_two_revisions_stand_in_one_query(slides) -> None:
    result = slides.run(
        "sql", 'SELECT id FROM slides EXCEPT SELECT id FROM features."slides@release/1"'
    )
    assert result.stdout == "2\n"


def test_rows_are_printed_as_json_and_csv(slides) -> None:
    query = "SELECT * FROM features.slides ORDER BY id"
    rows = [{"id": 1, "grade": "benign"}, {"id": 2, "grade": None}]
    assert slides.run("sql", query, "--json").document == rows
    assert slides.run("sql", query, "--format", "json").document == rows
    assert slides.run("sql", query, "--format", "csv").stdout == "id,grade\n1,benign\n2,\n"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_rows_are_written_in_the_form_of_the_files_ending(slides, tmp_path, ending) -> None:
    path = tmp_path / f"rows.{ending}"
    query = "SELECT id FROM features.slides ORDER BY id; -- all of them"
    result = slides.run("sql", query, "--output", str(path))
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    if ending == "csv":
        assert path.read_text() == "id\n1\n2\n"
    elif ending == "json":
        assert json.loads(path.read_text()) == [{"id": 1}, {"id": 2}]
    else:
        assert pyarrow.parquet.read_table(path).to_pydict() == {"id": [1, 2]}


def test_who_has_no_duckdb_is_told_what_to_install(slides, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "catalog.cli.sql_run", raising=False)
    result = slides.run("sql", "SELECT 1")
    assert result.exit_code == 1
    assert "duckdb" in result.stderr
    assert "pip install 'mainstem[duckdb]'" in result.stderr


def test_a_commit_has_the_users_name(slides) -> None:
    assert slides.ok("log")["commits"][0]["author"] == "Ada Byron"


def test_what_is_piped_in_is_run(slides) -> None:
    slides.ok("branch", "create", "work")
    script = "DELETE FROM slides WHERE id = 1;\nSELECT id FROM slides;\n"
    done = subprocess.run(
        [sys.executable, "-m", "catalog", "sql", "--at", "work"],
        input=script,
        env=slides.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
    assert slides.run("sql", "SELECT count(*) FROM slides").stdout == "2\n"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "word"),
    [
        (["SELEC 1"], 1, "SELEC"),
        (["SELECT * FROM features.nothing"], 1, "nothing"),
        (["--at", "release/1", "DELETE FROM slides"], 1, "read-only"),
        (["--at", "release/never", "SELECT 1"], 3, "release/never"),
        (["--format", "csv", "CREATE TEMP TABLE t (a INTEGER)"], 1, "query"),
        (["--format", "parquet", "SELECT 1"], 2, "--output"),
        (["--output", "rows.txt", "SELECT 1"], 2, ".parquet"),
    ],
)
def test_what_cannot_be_done_is_said(slides, arguments, exit_code, word) -> None:
    head = slides.head("main")
    result = slides.run("sql", *arguments)
    assert result.exit_code == exit_code, result.stderr
    assert word in result.stderr
    assert slides.head("main") == head


def test_without_a_namespace_nothing_is_created_that_would_be_lost(new_lake, tmp_path) -> None:
    lake = new_lake(tmp_path)
    for lost in ("CREATE SCHEMA features", "CREATE TABLE slides AS SELECT 1 AS id"):
        result = lake.run("sql", lost)
        assert result.exit_code == 1, result.stdout
        assert f"CREATE SCHEMA {lake.warehouse}.NAME" in result.stderr
    made = f"CREATE SCHEMA {lake.warehouse}.features; CREATE TABLE features.t AS SELECT 1 AS id"
    assert lake.run("sql", made).exit_code == 0
    assert lake.run("sql", "FROM features.t").stdout == "1\n"


def test_a_query_is_interrupted(slides, tmp_path) -> None:
    begun = tmp_path / "begun.csv"
    process = slides.spawn("sql", endless(begun))
    try:
        wait_for(begun)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in said


def test_the_shell_takes_statements_over_several_lines(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    taken: list[str] = []
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        typed.send_text("SELECT 1\r+ 2;\r;\rSELECT 3;\rexit\r")
        run([], lambda text: bool(taken.append(text)))
    assert taken == ["SELECT 1\n+ 2;", "SELECT 3;"]
    assert "SELECT 3;" in history_file({"XDG_STATE_HOME": str(tmp_path)}).read_text()


def test_the_shell_completes_tables_and_keywords() -> None:
    words = Words(["features.slides", "SELECT", "labels.slides"])
    offered = words.get_completions(Document("select * from feat"), CompleteEvent())
    assert [(each.text, each.start_position) for each in offered] == [("features.slides", -4)]
    assert list(words.get_completions(Document("select "), CompleteEvent())) == []


def test_keys_of_the_store_come_from_the_environment() -> None:
    config = {"s3.endpoint": "http://127.0.0.1:9000", "s3.path-style-access": "true"}
    assert store_options(config, {}) == {}
    environment = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "here"}
    assert store_options(config, environment) == {
        "KEY_ID": "k",
        "SECRET": "s",
        "REGION": "here",
        "ENDPOINT": "127.0.0.1:9000",
        "URL_STYLE": "path",
        "USE_SSL": "false",
    }


def test_a_server_that_asks_for_a_credential_gets_it(tmp_path) -> None:
    hashed = hashlib.sha256(b"secret").hexdigest()
    settings = {"MAINSTEM_CLIENTS": f"etl:{hashed}", "MAINSTEM_TOKEN_KEY": "k" * 32}
    with serve(tmp_path, **settings) as server:
        environment = {"MAINSTEM_SERVER": server, "MAINSTEM_CREDENTIAL": "etl:secret"}
        for query in ("CREATE SCHEMA lake.ns", "CREATE TABLE lake.ns.t AS SELECT 5 AS id"):
            result = CliRunner().invoke(app, ["sql", query], env=environment)
            assert result.exit_code == 0, result.stderr
        result = CliRunner().invoke(app, ["sql", "FROM ns.t"], env=environment)
        assert result.stdout == "5\n"
        commits = CliRunner().invoke(app, ["log", "--json"], env=environment).stdout
        assert json.loads(commits)["commits"][0]["committer"] == "etl"


def test_the_shell_at_a_terminal(slides, tmp_path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog", "sql"],
        env={**slides.environment, "TERM": "xterm", "XDG_STATE_HOME": str(tmp_path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    begun = tmp_path / "begun.csv"
    seen = b""
    try:
        for waited, typed in (
            (b"@main. A statement ends", b""),
            (b"mainstem>", b"SELECT id * 1000 AS thousand FROM feat\t"),
            (b"ures.slides", b" WHERE id = 2;\r"),
            (b"2000", b""),
            (b"mainstem>", b"SELEC;\r"),
            (b"syntax error", b""),
            (b"mainstem>", endless(begun).encode() + b"\r"),
            (b"interrupted", b""),
            (b"mainstem>", b"\x04"),
        ):
            if waited == b"interrupted":
                wait_for(begun)
                process.send_signal(signal.SIGINT)
            while waited not in seen:
                chunk = _read(ours)
                assert chunk, seen
                seen += chunk
            seen = seen.partition(waited)[2]
            os.write(ours, typed)
        while _read(ours):
            pass
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
    os.close(ours)
    remembered = history_file({"XDG_STATE_HOME": str(tmp_path)}).read_text()
    assert "SELECT id * 1000 AS thousand FROM features.slides WHERE id = 2;" in remembered


def endless(begun: Path) -> str:
    """Return a query that does not end, and says by a file that it has begun."""
    return f"COPY (SELECT 1) TO '{begun}'; SELECT max(random()) FROM range(10000000000000);"


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _read(terminal: int) -> bytes:
    """Read what came to the screen, and say where the cursor is if that is asked."""
    assert select.select([terminal], [], [], 60)[0]
    try:
        read = os.read(terminal, 4096)
    except OSError:
        # Linux says so when the last process has closed the terminal.
        return b""
    if b"\x1b[6n" in read:
        os.write(terminal, b"\x1b[1;1R")
    return read
