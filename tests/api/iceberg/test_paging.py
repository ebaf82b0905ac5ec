"""Pages of namespaces, tables, views and functions: whole, in order, and of one commit."""

import base64

import pytest

from catalog.versioning.revisions import encode_prefix
from tests.api.conftest import view_body

FUNCTION = {
    "parameters": [],
    "return-type": "int",
    "function-type": "udf",
    "current-version-id": 1,
    "versions": [
        {
            "version-id": 1,
            "representations": [{"type": "sql", "dialect": "spark", "sql": "1"}],
        }
    ],
}


class Listing:
    """One kind of listing, and how what it lists is made and dropped."""

    def __init__(self, lake, kind):
        self.lake, self.kind = lake, kind
        self.path = "/namespaces" if kind == "namespaces" else f"/namespaces/ns/{kind}"

    def create(self, name):
        if self.kind == "namespaces":
            self.lake.iceberg("POST", "main", "/namespaces", {"namespace": [name]})
        elif self.kind == "tables":
            self.lake.table(name)
        elif self.kind == "functions":
            self.set_function(name)
        else:
            self.lake.iceberg("POST", "main", self.path, view_body(name))

    def set_function(self, name):
        response = self.lake.call(
            "PUT", f"/functions/{name}", {"definitions": [FUNCTION]}, namespace="ns"
        )
        assert response.status_code == 200, response.text

    def drop(self, name):
        if self.kind == "functions":
            path = f"/functions/{name}"
            assert self.lake.call("DELETE", path, namespace="ns").status_code == 204
            return
        self.lake.iceberg("DELETE", "main", f"{self.path}/{name}", status=204)

    def get(self, branch="main", **query):
        prefix = encode_prefix(self.lake.name, branch=branch)
        return self.lake.client.get(f"/iceberg/v1/{prefix}{self.path}", params=query)

    def page(self, **query):
        response = self.get(**query)
        assert response.status_code == 200, response.text
        document = response.json()
        if self.kind == "namespaces":
            names = [levels[-1] for levels in document["namespaces"]]
        elif self.kind == "functions":
            names = [levels[-1] for levels in document["identifiers"]]
        else:
            names = [each["name"] for each in document["identifiers"]]
        return names, document["next-page-token"]


@pytest.fixture(params=["namespaces", "tables", "views", "functions"])
def listing(request, empty):
    if request.param != "namespaces":
        empty.namespace()
    made = Listing(empty, request.param)
    for name in "abcde":
        made.create(name)
    return made


def test_pages_are_the_listing_in_order(listing):
    names, token = listing.page(pageToken="", pageSize=2)
    pages = [names]
    while token is not None:
        names, token = listing.page(pageToken=token, pageSize=2)
        pages.append(names)
    assert pages == [["a", "b"], ["c", "d"], ["e"]]


def test_a_full_last_page_has_no_next_one(listing):
    assert listing.page(pageToken="", pageSize=5) == (["a", "b", "c", "d", "e"], None)


def test_pages_are_of_one_commit(listing):
    names, token = listing.page(pageToken="", pageSize=2)
    listing.drop("d")
    listing.create("bb")
    listing.create("z")
    rest, end = listing.page(pageToken=token, pageSize=10)
    assert (names + rest, end) == (["a", "b", "c", "d", "e"], None)
    assert listing.page(pageToken="")[0] == ["a", "b", "bb", "c", "e", "z"]


def test_a_client_that_does_not_page_gets_all(listing):
    assert listing.page() == (["a", "b", "c", "d", "e"], None)
    assert listing.page(pageSize=2) == (["a", "b", "c", "d", "e"], None)


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "١", "9" * 30])
def test_a_page_size_is_a_positive_number(listing, size):
    response = listing.get(pageToken="", pageSize=size)
    assert response.status_code == 400
    assert "pageSize" in response.json()["error"]["message"]


def encoded(text):
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    ["x", "é", "%00", encoded("[]"), encoded("{}"), encoded("7"), encoded('["a","b","c"]')],
)
def test_a_malformed_token_is_refused(listing, token):
    response = listing.get(pageToken=token)
    assert response.status_code == 400
    assert "pageToken" in response.json()["error"]["message"]


def test_a_token_of_another_listing_is_refused(lake):
    lake.branch("side")
    tables = Listing(lake, "tables")
    _, token = tables.page(pageToken="", pageSize=1)
    assert tables.page(pageToken=token) == (["b"], None)
    for other in (Listing(lake, "views"), Listing(lake, "namespaces")):
        assert other.get(pageToken=token).status_code == 400
    assert tables.get("side", pageToken=token).status_code == 400
