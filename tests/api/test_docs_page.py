"""The page on the management interface needs no internet."""

import re
from urllib.parse import urljoin

from starlette.testclient import TestClient

_PAGE = "http://testserver/api/v1/docs"
_OUTSIDE = re.compile(r"""(?:src|href|url)\s*[:=(]\s*["']?(?:https?:)?//""")


def test_the_page_refers_to_nothing_outside(client: TestClient) -> None:
    page = client.get(_PAGE).text
    assert "//" not in page.replace("<!-- `SwaggerUIBundle` is now available on the page -->", "")
    assert '"validatorUrl": null' in page
    assert not _OUTSIDE.search(client.get(f"{_PAGE}/swagger-ui.css").text)


def test_all_that_the_page_loads_is_there(client: TestClient) -> None:
    page = client.get(_PAGE).text
    loaded = re.findall(r"""(?:src="|href="|url: ')([^"']+)""", page)
    assert len(loaded) == 4
    for target in loaded:
        answer = client.get(urljoin(_PAGE, target))
        assert answer.status_code == 200, target
        assert len(answer.content) > 1000
    assert client.get(f"{_PAGE}/redoc.standalone.js").status_code == 404
