"""`mainstem doctor` says what is well, what is not, and how to mend it."""

from catalog import __version__


def test_a_healthy_server_is_healthy(lake) -> None:
    report = lake.ok("doctor")
    assert report["healthy"] is True
    found = {each["subject"]: each["detail"] for each in report["findings"]}
    assert found["version"] == __version__
    assert found["database"] == "sqlite"
    assert lake.head("main") in found["warehouse"]
    assert {each["verdict"] for each in report["findings"]} == {"ok"}


def test_the_doctor_writes_nothing(lake) -> None:
    before = lake.ok("reflog")["entries"]
    lake.ok("doctor")
    assert lake.ok("reflog")["entries"] == before


def test_an_unknown_warehouse_is_wrong_and_ends_with_1(lake) -> None:
    result = lake.run("doctor", "-w", "nowhere")
    assert result.exit_code == 1
    assert "nowhere" in result.stdout
    assert "mainstem warehouse list" in result.stdout


def test_what_is_no_mainstem_server_ends_with_5(lake) -> None:
    result = lake.run("doctor", "--server", f"{lake.server}/elsewhere")
    assert result.exit_code != 0
    assert result.stderr.startswith("mainstem: ")
