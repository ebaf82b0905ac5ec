"""A store whose certificate an authority of the house signed."""

from pathlib import Path
from uuid import uuid4

import pytest

from catalog import clock
from catalog.errors import InvalidInput, StorageUnavailable
from catalog.files.aws import AwsAccess
from catalog.files.file_io import open_files
from catalog.files.scopes import Scope
from catalog.files.trust import USUAL, Trust
from tests.services import ObjectStore


@pytest.mark.slow
def test_files_and_credentials_come_from_a_store_that_the_house_vouches_for(
    s3: ObjectStore,
) -> None:
    secure = {"s3.endpoint": s3.secure_endpoint, "sts.role-arn": s3.role_arn}
    storage = {**s3.storage, **s3.secrets, **secure}
    trust = Trust(s3.ca_file)
    location = f"s3://{s3.bucket}/{uuid4().hex}"
    files = open_files(storage, trust)
    files.write_all({location: b"secret"})
    assert files.read(location) == b"secret"
    scope = Scope(s3.bucket, "some/table", read_only=True)
    vended = AwsAccess(storage, clock.now, trust).vend(scope, "test")
    assert vended.properties["s3.session-token"]


@pytest.mark.slow
def test_a_store_that_nobody_vouches_for_is_refused(s3: ObjectStore) -> None:
    secure = {"s3.endpoint": s3.secure_endpoint, "sts.role-arn": s3.role_arn}
    storage = {**s3.storage, **s3.secrets, **secure}
    with pytest.raises(StorageUnavailable):
        open_files(storage).read(f"s3://{s3.bucket}/x")
    with pytest.raises(StorageUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        AwsAccess(storage, clock.now).vend(Scope(s3.bucket, "some/table", read_only=True), "test")


def test_the_usual_authorities_stay(tmp_path: Path) -> None:
    import trustme

    house = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(house)
    trust = Trust(house)
    bundle = Path(trust.bundle() or "").read_text()
    assert house.read_text() in bundle
    assert bundle.count("BEGIN CERTIFICATE") > 50
    assert trust.bundle() == trust.bundle()
    assert USUAL.bundle() is None


@pytest.mark.parametrize("text", ["", "no certificate", None])
def test_a_file_without_authorities_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match=r"MAINSTEM_CA_FILE.*ca\.pem"):
        Trust(path)
