"""Credentials for clients that run out, whatever the cloud that gives them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from catalog.clock import Clock
from catalog.files.scopes import Scope

_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Vended:
    """Short-lived credentials, as Iceberg's FileIO properties."""

    properties: Mapping[str, str]
    expires_at: datetime


class Vendor(Protocol):
    """What gives out credentials for a part of a store; safe among threads."""

    def vend(self, scope: Scope, name: str) -> Vended:
        """Return credentials for a scope that hold for half of their time at least."""
        ...


class VendedCache:
    """Credentials that were vended, by scope; safe among threads."""

    def __init__(self, clock: Clock, lifetime: timedelta) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._vended: OrderedDict[Scope, Vended] = OrderedDict()

    def get(self, scope: Scope, vend: Callable[[], Vended]) -> Vended:
        """Return credentials for a scope that hold for half of the lifetime at least."""
        with self._lock:
            known = self._vended.get(scope)
        if known is not None and known.expires_at - self._clock() > self._lifetime / 2:
            return known
        vended = vend()
        with self._lock:
            self._vended[scope] = vended
            self._vended.move_to_end(scope)
            while len(self._vended) > _MAX_CACHED:
                self._vended.popitem(last=False)
        return vended
