"""What the specification of Iceberg REST has, as `METHOD path`."""

_NAMESPACES = "/v1/{prefix}/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{namespace}}"
_TABLE = f"{_NAMESPACE}/tables/{{table}}"
_VIEW = f"{_NAMESPACE}/views/{{view}}"

ENDPOINTS = (
    "GET /v1/config",
    "POST /v1/oauth/tokens",
    f"GET {_NAMESPACES}",
    f"POST {_NAMESPACES}",
    f"GET {_NAMESPACE}",
    f"HEAD {_NAMESPACE}",
    f"DELETE {_NAMESPACE}",
    f"POST {_NAMESPACE}/properties",
    f"GET {_NAMESPACE}/tables",
    f"POST {_NAMESPACE}/tables",
    f"GET {_TABLE}",
    f"HEAD {_TABLE}",
    f"POST {_TABLE}",
    f"DELETE {_TABLE}",
    f"POST {_TABLE}/unregister",
    f"POST {_NAMESPACE}/register",
    "POST /v1/{prefix}/tables/rename",
    f"POST {_TABLE}/metrics",
    f"GET {_TABLE}/credentials",
    f"POST {_TABLE}/sign",
    f"POST {_TABLE}/plan",
    f"GET {_TABLE}/plan/{{plan-id}}",
    f"DELETE {_TABLE}/plan/{{plan-id}}",
    f"POST {_TABLE}/tasks",
    "POST /v1/{prefix}/transactions/commit",
    f"GET {_NAMESPACE}/views",
    f"POST {_NAMESPACE}/views",
    f"GET {_VIEW}",
    f"HEAD {_VIEW}",
    f"POST {_VIEW}",
    f"DELETE {_VIEW}",
    "POST /v1/{prefix}/views/rename",
    f"POST {_NAMESPACE}/register-view",
    f"GET {_NAMESPACE}/functions",
    f"GET {_NAMESPACE}/functions/{{function}}",
)
