"""The page that shows the management interface, with all that it loads: nothing from outside."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import Response

# What of the package of assets the page loads, beside itself.
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def page() -> Response:
    """Show the interface. All addresses are relative, so it may stand behind a proxy's path."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Mainstem",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
        # By default it sends the document to a validator on the internet.
        swagger_ui_parameters={"validatorUrl": None},
    )


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Give one of the files that the page loads."""
    kind = ASSETS.get(name)
    if kind is None:
        raise HTTPException(404)
    return Response(_read(name), media_type=kind, headers={"Cache-Control": "max-age=86400"})


@cache
def _read(name: str) -> bytes:
    return (files("fastapi_offline") / "static" / name).read_bytes()
