"""Mainstem: an Apache Iceberg REST catalog with git's model over all tables of a warehouse."""

__version__ = "0.1.0"
