"""`mainstem warehouse`: list, create, show, change and delete warehouses."""

from typing import Annotated

import typer

from catalog.cli.arguments import pairs
from catalog.cli.client import Json
from catalog.cli.commands import Session, change, listing, query
from catalog.cli.output import Fields, Paragraph, Table

app = typer.Typer(help="List, create, show, change and delete warehouses.")

Name = Annotated[str, typer.Argument(metavar="NAME")]
Storage = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="An Iceberg FileIO property, for example s3.endpoint=…; may be repeated.",
        show_default=False,
    ),
]


@listing(app)
def list_warehouses(session: Session) -> None:
    """List the server's warehouses."""
    document = session.client.get("warehouses")
    rows = [
        (each["name"], each["default_branch"], each["location"]) for each in document["warehouses"]
    ]
    session.output.answer(
        document, Table(("Warehouse", "Default branch", "Location"), rows, empty="None.")
    )


@change(app, "create")
def create_warehouse(
    session: Session,
    name: Name,
    location: Annotated[
        str, typer.Argument(metavar="LOCATION", help="For example s3://bucket/lake.")
    ],
    default_branch: Annotated[
        str | None, typer.Option(metavar="BRANCH", show_default=False, help="(default: main)")
    ] = None,
    storage: Storage = None,
) -> None:
    """Create a warehouse with an empty default branch."""
    body = {
        "name": name,
        "location": location,
        "default_branch": default_branch,
        "storage": pairs("--storage", storage),
    }
    warehouse = session.client.post("warehouses", body=body)
    session.output.answer(warehouse, Paragraph(f"Warehouse {name} is at {warehouse['location']}."))


@query(app, "show")
def show_warehouse(session: Session, name: Name) -> None:
    """Show a warehouse."""
    warehouse = session.client.get("warehouses", name)
    session.output.answer(warehouse, Fields(_fields(warehouse)))


@change(app, "set")
def set_warehouse(
    session: Session,
    name: Name,
    default_branch: Annotated[
        str | None,
        typer.Option(metavar="BRANCH", help="The new default branch.", show_default=False),
    ] = None,
    storage: Storage = None,
) -> None:
    """Change the default branch of a warehouse, or replace all its storage properties."""
    body = {"default_branch": default_branch, "storage": pairs("--storage", storage)}
    warehouse = session.client.patch("warehouses", name, body=body)
    session.output.answer(warehouse, Fields(_fields(warehouse)))


@change(app, "add-location")
def add_location(
    session: Session,
    name: Name,
    location: Annotated[
        str, typer.Argument(metavar="LOCATION", help="For example s3://bucket/archive.")
    ],
    storage: Storage = None,
) -> None:
    """Add a location in any store to a warehouse, or replace the storage properties of one."""
    added = {"location": location, "storage": pairs("--storage", storage) or {}}
    warehouse = session.client.patch("warehouses", name, body={"locations": [added]})
    session.output.answer(warehouse, Fields(_fields(warehouse)))


@change(app, "delete")
def delete_warehouse(session: Session, name: Name) -> None:
    """Delete a warehouse from the catalog; no file of it is deleted."""
    session.client.delete("warehouses", name)
    session.output.answer(
        {"name": name, "deleted": True}, Paragraph(f"Warehouse {name} is deleted; its files stay.")
    )


def register(root: typer.Typer) -> None:
    """Add the group to the application."""
    root.add_typer(app, name="warehouse")


def _fields(warehouse: Json) -> list[tuple[str, str]]:
    return [
        ("warehouse", warehouse["name"]),
        ("location", warehouse["location"]),
        ("default branch", warehouse["default_branch"]),
        *warehouse["storage"].items(),
        *(field for each in warehouse["locations"] for field in _location_fields(each)),
    ]


def _location_fields(location: Json) -> list[tuple[str, str]]:
    return [("further location", location["location"]), *location["storage"].items()]
