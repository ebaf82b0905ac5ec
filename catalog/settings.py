"""The server's settings: one frozen value, and the only place that reads environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from catalog.errors import InvalidInput

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server process is started with; `docs/configuration.md` documents each field.

    `database_url` and `default_location` follow from `data_dir` where they are not given.
    `secrets_file` holds what object stores ask for (`files/secrets.py`), `ca_file` the authorities
    of the house that vouch for them beside the usual ones. Sizes named `_bytes` are upper bounds of
    memory, times named `_seconds` are upper bounds of waiting.
    For `idempotency_key_lifetime_seconds` after a request with an `Idempotency-Key`, the same
    request under the same key gets the same answer. Of the metrics reports that engines send, the
    newest `metrics_reports_kept` stay, about 2 KiB each; 0 keeps none.

    Where clients are configured, every request needs a token, which `/iceberg/v1/oauth/tokens`
    gives for a client's id and secret. `clients` lists `ID:HASH` parted by commas, `clients_file`
    names a file with one on each line; HASH is the SHA-256 of a secret in hex. `token_key` signs
    the tokens, so replicas share it. Without clients the server is open to everybody.
    """

    data_dir: Path = Path(".mainstem")
    database_url: str = ""
    default_warehouse: str = "lake"
    default_location: str = ""
    default_branch: str = "main"
    secrets_file: str = ""
    ca_file: str = ""
    threads: int = 40
    database_connections: int = 16
    max_body_bytes: int = 64 * _MEBIBYTE
    object_cache_bytes: int = 256 * _MEBIBYTE
    file_cache_bytes: int = 256 * _MEBIBYTE
    commit_timeout_seconds: int = 60
    idempotency_key_lifetime_seconds: int = 24 * 60 * 60
    metrics_reports_kept: int = 50_000
    clients: str = ""
    clients_file: str = ""
    token_key: str = ""
    token_lifetime_seconds: int = 60 * 60
    log_level: str = "info"

    @property
    def effective_database_url(self) -> str:
        """The database: the one given, or a SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'mainstem.db'}"

    @property
    def effective_default_location(self) -> str:
        """Where the default warehouse keeps its files: as given, or `data_dir/warehouse`."""
        return self.default_location or f"file://{self.data_dir.absolute() / 'warehouse'}"


_FIELDS: Mapping[str, type] = {
    "data_dir": Path,
    "database_url": str,
    "default_warehouse": str,
    "default_location": str,
    "default_branch": str,
    "secrets_file": str,
    "ca_file": str,
    "threads": int,
    "database_connections": int,
    "max_body_bytes": int,
    "object_cache_bytes": int,
    "file_cache_bytes": int,
    "commit_timeout_seconds": int,
    "idempotency_key_lifetime_seconds": int,
    "metrics_reports_kept": int,
    "clients": str,
    "clients_file": str,
    "token_key": str,
    "token_lifetime_seconds": int,
    "log_level": str,
}


_MAY_BE_ZERO = {"object_cache_bytes", "file_cache_bytes", "metrics_reports_kept"}
_PREFIX = "MAINSTEM_"
# What the command line, `release run` and the examples have in the environment.
_OTHERS = ("SERVER", "URI", "WAREHOUSE", "BRANCH", "AUTHOR", "CREDENTIAL", "COMPLETE")
# Alike enough to be a slip: one letter in five or so.
_ALIKE = 0.8
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read `MAINSTEM_<FIELD>` variables over the defaults.

    Raises:
        InvalidInput: if a variable is nothing that its field can be, or named almost like a field;
            the message names it.
    """
    _check_names(environment)
    settings = Settings()
    for field, kind in _FIELDS.items():
        name = f"{_PREFIX}{field.upper()}"
        if name in environment:
            text = environment[name]
            value = _number(name, text, 0 if field in _MAY_BE_ZERO else 1) if kind is int else text
            settings = replace(settings, **{field: kind(value)})
    if settings.log_level.lower() not in _LOG_LEVELS:
        raise InvalidInput(
            f"MAINSTEM_LOG_LEVEL must be one of {', '.join(_LOG_LEVELS)},"
            f" not {settings.log_level!r}"
        )
    return settings


def _check_names(environment: Mapping[str, str]) -> None:
    """Refuse a slip: with `MAINSTEM_CLIENT` set, and ignored, a server would be open to all."""
    names = [*_OTHERS, *(field.upper() for field in _FIELDS)]
    given = (name.removeprefix(_PREFIX) for name in environment if name.startswith(_PREFIX))
    for name in given:
        meant = get_close_matches(name, names, n=1, cutoff=_ALIKE)
        if meant and name not in names:
            raise InvalidInput(
                f"{_PREFIX}{name} is not a setting; is {_PREFIX}{meant[0]} meant? Unset the one"
                " that is not"
            )


def _number(name: str, text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < least:
        raise InvalidInput(f"{name} must be a whole number, at least {least}, not {text!r}")
    return number
