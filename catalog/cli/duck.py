"""DuckDB with revisions attached, for `mainstem sql`; only who has the extra can import it."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, TypeVar

import duckdb

from catalog.cli.client import Client
from catalog.cli.sql_quoting import quoted_name, quoted_text

_EXTENSIONS = ("avro", "httpfs", "iceberg")
_WRITERS = {
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet",
}

# The temporary view of what a query gives, by which it is written.
_RESULT = "mainstem_result"

_T = TypeVar("_T")

# What is in use as long as the revision has no namespace; DuckDB's own error names it.
_NOTHING = "no_namespace_yet"


@dataclass(frozen=True, slots=True)
class Revision:
    """What DuckDB attaches, and under which name; `warehouse` is as engines take it."""

    uri: str
    warehouse: str
    name: str
    author: str
    credential: str
    """The client's id and secret, or nothing where the server asks nobody."""
    schema: str | None
    """The namespace that names without one are looked up in."""


def revision_of(
    client: Client, warehouse: str, revision: str, *, name: str, schema: str | None = None
) -> Revision:
    """Return what a revision is attached by, with a client's author and credential."""
    return Revision(
        uri=f"{client.server}/iceberg",
        warehouse=f"{warehouse}@{revision}",
        name=name,
        author=client.author,
        credential=client.credential,
        schema=schema,
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """What a statement gave; `more` if there is more than was asked for."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool


class Duck:
    """A connection with one revision attached and in use."""

    def __init__(self, revision: Revision, store: Mapping[str, str]) -> None:
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        for name in _EXTENSIONS:
            self._load(name)
        self._create_secret("store", store)
        self._connection.execute(f"CREATE SECRET catalog ({_access(revision)})")
        # Who brings keys uses them; who has none takes those that the catalog may hand out.
        self._delegation = "none" if store else "vended_credentials"
        self.attach(revision)
        self._name = revision.name
        self._folder: TemporaryDirectory[str] | None = None
        self.in_nothing = False
        """Whether the revision had no namespace when it was looked at last."""
        if revision.schema is not None:
            self._use(revision.schema)

    def attach(self, revision: Revision) -> None:
        """Attach another revision of the same server, asked as the first one is."""
        self._connection.execute(
            f"ATTACH {quoted_text(revision.warehouse)} AS {quoted_name(revision.name)}"
            f" (TYPE iceberg, SECRET catalog, ENDPOINT {quoted_text(revision.uri)},"
            f" ACCESS_DELEGATION_MODE '{self._delegation}')"
        )

    def use_nothing(self) -> None:
        """Use what cannot be written, until the revision has a namespace.

        DuckDB uses no database without a schema. It would use its own memory, where what is created
        by a name without the warehouse would be lost at the end.
        """
        self._folder = TemporaryDirectory()
        path = str(Path(self._folder.name, "nothing"))
        duckdb.connect(path).close()
        self._connection.execute(f"ATTACH {quoted_text(path)} AS {_NOTHING} (READ_ONLY)")
        self._connection.execute(f"USE {_NOTHING}")
        self.in_nothing = True

    def spill_to(self, directory: str) -> None:
        """Say where to put what memory does not hold; by default it is the working directory."""
        self._connection.execute(f"SET temp_directory = {quoted_text(directory)}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()

    def run(self, sql: str, limit: int | None = None) -> Rows | None:
        """Run statements; return the rows of the last, None if it gives none.

        Raises:
            duckdb.Error: if one fails; those before it were carried out.
        """
        return self._interruptible(lambda: self._run(sql, limit))

    def _run(self, sql: str, limit: int | None) -> Rows | None:
        cursor: Any = None
        for statement in self._connection.extract_statements(sql):
            self._look_for_namespace()
            cursor = self._connection.execute(statement)
        if cursor is None or not cursor.description:
            return None
        columns = [column[0] for column in cursor.description]
        if limit is None:
            return Rows(columns, cursor.fetchall(), more=False)
        rows = cursor.fetchmany(limit + 1)
        return Rows(columns, rows[:limit], more=len(rows) > limit)

    def export(self, sql: str, path: str, form: str) -> None:
        """Run statements, and write what the last, a query, gives as `csv`, `json` or `parquet`.

        Raises:
            duckdb.Error: if one fails.
            ValueError: if the last is no query.
        """
        self._interruptible(lambda: self._export(sql, path, form))

    def _export(self, sql: str, path: str, form: str) -> None:
        statements = self._connection.extract_statements(sql)
        if not statements or statements[-1].type != duckdb.StatementType.SELECT:
            raise ValueError("Only a query has rows to write")
        for statement in statements[:-1]:
            self._look_for_namespace()
            self._connection.execute(statement)
        self._look_for_namespace()
        rows = self._connection.sql(statements[-1])
        rows.query(_RESULT, f"COPY {_RESULT} TO {quoted_text(path)} ({_WRITERS[form]})")

    def arrow(self, sql: str) -> Any:
        """Return what a query gives as an Arrow table.

        Raises:
            duckdb.Error: if it fails.
        """
        return self._interruptible(lambda: self._connection.sql(sql).to_arrow_table())

    def keywords(self) -> list[str]:
        """Return the words of DuckDB's SQL."""
        query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        return [word.upper() for (word,) in self._connection.execute(query).fetchall()]

    def _interruptible(self, work: Callable[[], _T]) -> _T:
        """Let Ctrl-C end a query.

        In the main thread DuckDB looks for signals now and then only, and what it raises then is
        none of its errors. In another it stops as soon as it is told to.
        """
        outcome: Future[_T] = Future()
        given_up = Event()

        def run() -> None:
            if given_up.is_set():
                return
            try:
                outcome.set_result(work())
            except Exception as error:
                outcome.set_exception(error)

        thread = Thread(target=run, daemon=True)
        try:
            thread.start()
            return outcome.result()
        except KeyboardInterrupt:
            given_up.set()
            # Told between two statements, it would begin the next one all the same.
            while thread.is_alive():
                self._connection.interrupt()
                thread.join(0.1)
            raise

    def _use(self, schema: str) -> None:
        self._connection.execute(f"USE {quoted_name(self._name)}.{quoted_name(schema)}")

    def _look_for_namespace(self) -> None:
        if not self.in_nothing:
            return
        query = (
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? ORDER BY ALL LIMIT 1"
        )
        if found := self._connection.execute(query, [self._name]).fetchone():
            self._use(found[0])
            self.in_nothing = False

    def _load(self, name: str) -> None:
        spec = find_spec(f"duckdb_extension_{name}")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name=f"duckdb_extension_{name}")
        (file,) = Path(spec.origin).parent.glob(f"extensions/*/{name}.duckdb_extension")
        self._connection.execute(f"LOAD {quoted_text(str(file))}")

    def _create_secret(self, name: str, options: Mapping[str, str]) -> None:
        if options:
            pairs = ", ".join(f"{key} {quoted_text(value)}" for key, value in options.items())
            self._connection.execute(f"CREATE SECRET {name} (TYPE s3, {pairs})")


def _access(revision: Revision) -> str:
    headers = f"EXTRA_HTTP_HEADERS MAP {{'X-Mainstem-Author': {quoted_text(revision.author)}}}"
    client, _, secret = revision.credential.partition(":")
    if not client:
        # Without a token DuckDB makes no secret, and headers come from secrets only.
        return f"TYPE iceberg, TOKEN 'none', {headers}"
    tokens = f"OAUTH2_SERVER_URI {quoted_text(revision.uri + '/v1/oauth/tokens')}"
    identity = f"CLIENT_ID {quoted_text(client)}, CLIENT_SECRET {quoted_text(secret)}"
    return f"TYPE iceberg, {identity}, {tokens}, {headers}"


def store_options(config: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the options of DuckDB's S3 secret: where from the catalog, the keys from here.

    Empty where the environment has no keys; what is public or local can still be read.
    """
    if not environment.get("AWS_ACCESS_KEY_ID"):
        return {}
    address = config.get("s3.endpoint", "")
    region = config.get("s3.region") or config.get("client.region")
    path_style = config.get("s3.path-style-access") == "true"
    options = {
        "KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "SECRET": environment.get("AWS_SECRET_ACCESS_KEY", ""),
        "SESSION_TOKEN": environment.get("AWS_SESSION_TOKEN", ""),
        "REGION": region or environment.get("AWS_REGION", ""),
        "ENDPOINT": address.partition("://")[2],
        "URL_STYLE": "path" if path_style else "",
        "USE_SSL": "false" if address.startswith("http://") else "",
    }
    return {key: value for key, value in options.items() if value}
