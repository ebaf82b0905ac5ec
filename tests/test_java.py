"""A user's settings of Maven decide where jars come from."""

from pathlib import Path

from tests.java import mirror_of, proxies, user_settings

_SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">
  <proxies>
    <proxy><active>false</active><host>old.example</host></proxy>
    <proxy><host>proxy.example</host><port>3128</port></proxy>
  </proxies>
  <mirrors>
    <mirror><mirrorOf>snapshots</mirrorOf><url>https://snapshots.example</url></mirror>
    <mirror><mirrorOf>releases,central</mirrorOf><url>https://mirror.example</url></mirror>
  </mirrors>
</settings>"""


def test_without_settings_nothing_is_put_between(tmp_path: Path) -> None:
    settings = user_settings(tmp_path)
    assert mirror_of(settings) is None
    assert list(proxies(settings)) == []


def test_a_mirror_of_central_and_an_active_proxy_are_used(tmp_path: Path) -> None:
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(_SETTINGS)
    settings = user_settings(tmp_path)
    assert mirror_of(settings) == "https://mirror.example"
    assert list(proxies(settings)) == [
        "-Dhttp.proxyHost=proxy.example",
        "-Dhttp.proxyPort=3128",
        "-Dhttps.proxyHost=proxy.example",
        "-Dhttps.proxyPort=3128",
        "-Dhttp.nonProxyHosts=localhost|127.*",
    ]
