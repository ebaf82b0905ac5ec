"""Bringing a database's schema up to date, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from catalog.errors import InvalidInput
from catalog.store.engine import Connection, Engine, read, transact

# Several replicas may start on an empty database at once; each but one then finds tables there.
_ATTEMPTS = 5


def migrate(engine: Engine) -> None:
    """Upgrade the schema to this release's, in one transaction.

    Raises:
        InvalidInput: if the database belongs to a newer release.
        Unavailable: if it does not answer.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        if read(engine, _is_current):
            return
        try:
            transact(engine, _upgrade)
        except (IntegrityError, ProgrammingError, OperationalError) as error:
            if attempt == _ATTEMPTS or not _already_there(error):
                raise
        else:
            return


def _already_there(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or "already exists" in str(error.orig)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _is_current(connection: Connection) -> bool:
    script = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return False
    if current not in {revision.revision for revision in script.walk_revisions()}:
        raise InvalidInput(
            f"The database has schema {current}, which this release does not know: it belongs to"
            " a newer release of Mainstem; upgrade this server"
        )
    return current == script.get_current_head()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # A migration of a large database takes as long as it takes.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
