"""Secrets come from a file that is read again when it changes."""

import os

import pytest

from catalog.errors import InvalidInput, StorageUnavailable
from catalog.files.secrets import Secrets, check_no_secret, is_secret


def write(path, text, stamp):
    path.write_text(text)
    os.utime(path, ns=(stamp, stamp))


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "secrets.toml"
    secrets = Secrets(path)
    write(path, '[lake]\n"s3.access-key-id" = "a"\n', 1)
    assert secrets.of("lake") == {"s3.access-key-id": "a"}
    assert secrets.of("other") == {}
    write(path, '[lake]\n"s3.access-key-id" = "b"\n', 2)
    assert secrets.of("lake") == {"s3.access-key-id": "b"}


def test_without_a_file_there_are_none():
    assert Secrets(None).of("lake") == {}


@pytest.mark.parametrize("text", ["hush", '"lake" = "hush"', '[lake]\n"hush" = 7', None])
def test_a_file_that_cannot_be_read_is_named_and_not_shown(tmp_path, text):
    path = tmp_path / "secrets.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StorageUnavailable, match=r"secrets\.toml") as caught:
        Secrets(path).of("lake")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "s3.secret-access-key",
        "s3.access-key-id",
        "s3.session-token",
        "adls.account-key",
        "adls.sas-token.account.dfs.core.windows.net",
        "gcs.oauth2.token",
        "client.credentials-provider",
        "adls.auth.shared-key.account.key",
        "fs.s3a.access.key",
        "aws_access_key_id",
        "gcs.encryption-key",
        "s3.sse.key",
        "header.Authorization",
    ],
)
def test_secret_names(name):
    assert is_secret(name)
    with pytest.raises(InvalidInput, match="secrets file"):
        check_no_secret({"s3.region": "x", name: "y"})


def test_an_address_that_holds_a_password_is_a_secret():
    with pytest.raises(InvalidInput, match=r"s3\.endpoint"):
        check_no_secret({"s3.endpoint": "https://user:pass@store:9000"})


def test_public_names():
    check_no_secret(
        {
            "s3.endpoint": "http://store",
            "s3.path-style-access": "true",
            "client.region": "x",
            "access-delegation": "static-credentials",
            "sts.role-arn": "arn",
            "sts.endpoint": "http://sts",
            "sts.duration-seconds": "900",
            "adls.account-name": "lake",
        }
    )


def test_a_further_location_has_secrets_of_its_own_and_no_others(tmp_path):
    path = tmp_path / "secrets.toml"
    path.write_text(
        '[lake]\n"s3.access-key-id" = "a"\n[lake."s3a://archive/lake/"]\n"s3.access-key-id" = "b"\n'
    )
    secrets = Secrets(path)
    assert secrets.of("lake") == {"s3.access-key-id": "a"}
    assert secrets.of("lake", "s3://archive/lake") == {"s3.access-key-id": "b"}
    assert secrets.of("lake", "s3://archive") == {}
    assert secrets.of("other", "s3://archive/lake") == {}
