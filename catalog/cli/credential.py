"""A client's credential: exchanged for an access token when the server asks for one."""

from collections.abc import Generator

import httpx

from catalog.cli.failures import ExitCode, Failure


class Credential(httpx.Auth):
    """Sends a token with every request, and gets a new one where the server refuses it."""

    requires_response_body = True

    def __init__(self, server: str, credential: str) -> None:
        self._server = server
        self._client_id, _, self._secret = credential.partition(":")
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request, a second time with a new token if need be."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code != 401:
            return
        answer = yield httpx.Request(
            "POST",
            f"{self._server}/iceberg/v1/oauth/tokens",
            data={
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._secret,
            },
        )
        if answer.status_code != 200:
            raise Failure(
                ExitCode.REFUSED,
                f"{self._server} gives client {self._client_id!r} no access token;"
                " see MAINSTEM_CREDENTIAL",
            )
        self._token = answer.json()["access_token"]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
