"""How large the database is."""

import sqlalchemy


def stored_bytes(database_url: str) -> int:
    """Return what the database takes, its indexes included."""
    engine = sqlalchemy.create_engine(database_url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
                size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
                return int(pages) * int(size)
            found = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
            return int(found.scalar_one())
    finally:
        engine.dispose()
