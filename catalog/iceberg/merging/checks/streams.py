"""Jobs that keep their progress in snapshots, and writes that are published once."""

from collections.abc import Iterator

from catalog.iceberg.merging.checks.operations import summary_of
from catalog.iceberg.merging.files import Step

_KAFKA_OFFSETS = "kafka.connect.offsets."


def streams_of(step: Step) -> Iterator[str]:
    """Yield the streaming jobs that wrote a snapshot, each as its sink knows itself.

    Flink's sink looks for its job and operator (SinkUtil.getMaxCommittedCheckpointId), Spark's for
    its query (SparkWrite.BaseStreamingWrite), Kafka Connect's for topic and group (Coordinator).
    """
    summary = summary_of(step.snapshot)
    if "flink.job-id" in summary:
        yield f"Flink job {summary['flink.job-id']} {summary.get('flink.operator-id', '')}".strip()
    if "spark.sql.streaming.queryId" in summary:
        yield f"Spark query {summary['spark.sql.streaming.queryId']}"
    for name in summary:
        if name.startswith(_KAFKA_OFFSETS):
            yield f"Kafka Connect {name.removeprefix(_KAFKA_OFFSETS)}"


def wap_ids_of(step: Step) -> frozenset[str]:
    """Return the ids under which a snapshot was written to be audited, or published."""
    summary = summary_of(step.snapshot)
    names = ("wap.id", "published-wap-id")
    return frozenset(summary[name] for name in names if summary.get(name))
