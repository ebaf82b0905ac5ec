"""`mainstem doctor spark-conf` fills in the templates; tests/engines runs Spark with them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12"


def settings(text: str) -> dict[str, str]:
    lines = [line.split(None, 1) for line in text.splitlines() if not line.startswith("#")]
    return {key: value.strip() for key, value in lines}


def test_a_branch_is_addressed_live(branched) -> None:
    result = branched.run("doctor", "spark-conf", "--branch", "work")
    assert result.exit_code == 0, result.stderr
    found = settings(result.stdout)
    assert found["spark.sql.catalog.lake.warehouse"] == f"{branched.warehouse}@work"
    assert found["spark.sql.catalog.lake.uri"] == f"{branched.server}/iceberg"
    assert found["spark.sql.catalog.lake.cache-enabled"] == "false"
    assert found["spark.jars.packages"].startswith(RUNTIME)
    assert "$" not in result.stdout


@pytest.mark.parametrize(
    ("version", "runtime"),
    [("3.5", f"{RUNTIME}:1.12.0"), ("4.0", "4.0_2.13:1.11.0"), ("4.1", "4.1_2.13:1.12.0")],
)
def test_the_runtime_is_that_of_sparks_version(lake, version, runtime) -> None:
    found = settings(lake.run("doctor", "spark-conf", "--spark", version).stdout)
    assert found["spark.jars.packages"].endswith(runtime)


def test_a_thrift_server_has_its_jars_in_a_folder(lake) -> None:
    plain = settings(lake.run("doctor", "spark-conf").stdout)
    found = settings(lake.run("doctor", "spark-conf", "--for", "thrift-server").stdout)
    assert found.pop("spark.driver.extraClassPath") == "jars/*"
    plain.pop("spark.jars.packages")
    assert found == plain


def test_platforms_are_known_with_spark_3_5_only(lake) -> None:
    result = lake.run("doctor", "spark-conf", "--for", "emr", "--spark", "4.1")
    assert result.exit_code == 2


def test_without_options_it_is_the_default_branch(lake) -> None:
    found = settings(lake.run("doctor", "spark-conf").stdout)
    assert found["spark.sql.catalog.lake.warehouse"] == f"{lake.warehouse}@main"


@pytest.mark.parametrize("revision", ["main@{now}", "release/2026-11-23"])
def test_a_revision_is_read_and_may_be_cached(lake, revision) -> None:
    lake.ok("tag", "create", "release/2026-11-23")
    result = lake.run("doctor", "spark-conf", "--at", revision, "--catalog", "old")
    found = settings(result.stdout)
    assert found["spark.sql.catalog.old.warehouse"] == f"{lake.warehouse}@{revision}"
    assert found["spark.sql.catalog.old.cache-enabled"] == "true"
    assert found["spark.sql.defaultCatalog"] == "old"


@pytest.mark.parametrize("platform", ["emr", "emr-serverless", "databricks"])
def test_other_platforms_get_json_with_the_same_settings(lake, platform) -> None:
    conf = settings(lake.run("doctor", "spark-conf").stdout)
    document = json.loads(lake.run("doctor", "spark-conf", "--for", platform).stdout)
    if platform == "emr":
        assert document[0]["Properties"] == {"iceberg.enabled": "true"}
        found = document[1]["Properties"]
    elif platform == "emr-serverless":
        found = document["applicationConfiguration"][0]["properties"]
    else:
        coordinates = [each["maven"]["coordinates"] for each in document["libraries"]]
        assert coordinates == conf["spark.jars.packages"].split(",")
        found = document["new_cluster"]["spark_conf"]
    catalog = {key: value for key, value in conf.items() if ".catalog.lake" in key}
    assert catalog.items() <= found.items()


def test_a_name_with_a_quote_stays_json(lake) -> None:
    name = 'it"s/ünïcode'
    lake.ok("branch", "create", name)
    result = lake.run("doctor", "spark-conf", "--branch", name, "--for", "emr")
    found = json.loads(result.stdout)[1]["Properties"]
    assert found["spark.sql.catalog.lake.warehouse"] == f"{lake.warehouse}@{name}"


def test_a_bucket_needs_its_stores_bundle(lake) -> None:
    body = {"name": f"{lake.warehouse}-s3", "location": "s3://bucket/lake"}
    assert lake.http.post(f"{lake.server}/api/v1/warehouses", json=body).status_code == 201
    result = lake.run("doctor", "spark-conf", "-w", body["name"])
    assert (
        ",org.apache.iceberg:iceberg-aws-bundle:" in settings(result.stdout)["spark.jars.packages"]
    )


def test_where_the_catalog_gives_access_spark_asks_for_it(lake) -> None:
    storage = {
        "s3.region": "eu-west-1",
        "access-delegation": "remote-signing,vended-credentials",
        "sts.role-arn": "arn:aws:iam::123456789012:role/tables",
    }
    body = {"name": f"{lake.warehouse}-given", "location": "s3://given/lake", "storage": storage}
    answer = lake.http.post(f"{lake.server}/api/v1/warehouses", json=body)
    assert answer.status_code == 201, answer.text
    header = "spark.sql.catalog.lake.header.X-Iceberg-Access-Delegation"
    found = settings(lake.run("doctor", "spark-conf", "-w", body["name"]).stdout)
    assert found[header] == "vended-credentials,remote-signing"
    printed = lake.run("doctor", "spark-conf", "-w", body["name"], "--for", "emr").stdout
    assert json.loads(printed)[1]["Properties"][header] == "vended-credentials,remote-signing"


@pytest.mark.parametrize(
    ("platform", "name", "reference"),
    [
        ("emr", "arn:aws:secretsmanager:x", "EMR.secret@arn:aws:secretsmanager:x"),
        ("emr-serverless", "etl", "EMR.secret@etl"),
        ("databricks", "mainstem/etl", "{{secrets/mainstem/etl}}"),
    ],
)
def test_a_platform_brings_the_credential_from_its_secrets(lake, platform, name, reference) -> None:
    result = lake.run("doctor", "spark-conf", "--for", platform, "--secret", name)
    assert result.exit_code == 0, result.stderr
    assert f'"spark.sql.catalog.lake.credential": "{reference}"' in result.stdout


def test_spark_itself_keeps_no_secrets(lake) -> None:
    result = lake.run("doctor", "spark-conf", "--secret", "etl")
    assert result.exit_code == 2


def test_every_store_of_a_warehouse_needs_its_bundle(lake) -> None:
    for location in ("gs://bucket/a", "abfss://c@account.dfs.core.windows.net/a", "gs://bucket/b"):
        lake.ok("warehouse", "add-location", lake.warehouse, f"{location}/{lake.warehouse}")
    packages = settings(lake.run("doctor", "spark-conf").stdout)["spark.jars.packages"]
    names = [package.split(":")[1] for package in packages.split(",")]
    assert names[1:] == ["iceberg-gcp-bundle", "iceberg-azure-bundle"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "word"),
    [
        (["--branch", "nowhere"], 3, "nowhere"),
        (["--at", "release/never"], 3, "release/never"),
        (["--at", "main", "--branch", "main"], 2, "not both"),
        (["--catalog", "a.b"], 2, "a.b"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(lake, arguments, exit_code, word) -> None:
    result = lake.run("doctor", "spark-conf", *arguments)
    assert result.exit_code == exit_code
    assert word in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
def test_a_wheel_carries_the_templates(tmp_path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        carried = {
            Path(name).name for name in opened.namelist() if name.startswith("catalog/spark_conf/")
        }
    assert carried == {path.name for path in (ROOT / "spark_conf").iterdir()}
