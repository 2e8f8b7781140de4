"""What render shows of itself on /metrics; the names are the contract's."""

from prometheus_client import Counter, Gauge

from answerbook.notify.records import METRICS


def _counter(name: str, *labels: str) -> Counter:
    return Counter(name, METRICS[name], labels)


def _gauge(name: str) -> Gauge:
    return Gauge(name, METRICS[name])


EVENTS = _counter("answerbook_render_events_total", "outcome")
NOTIFICATIONS = _counter("answerbook_render_notifications_total", "priority")
BATCH_SECONDS = _gauge("answerbook_render_batch_seconds")
BATCH_ROWS = _gauge("answerbook_render_batch_rows")
DROPPED = _counter("answerbook_render_rows_dropped_by_watermark_total")
USERS = _gauge("answerbook_render_users")
READ_AT = _gauge("answerbook_render_users_read_timestamp_seconds")
