"""Alembic's environment: runs on the connection that `migrate` hands over."""

from alembic import context

from catalog.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
