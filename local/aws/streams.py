"""DynamoDB streams: the batching window of an event source, which ministack stores but ignores."""

import time
from collections.abc import Callable
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "streams"


def patch() -> None:
    """Let an event source wait for its window after each batch, so that changes in the meantime become one batch."""
    service = module("services.lambda_svc")
    positions = original(service, "_dynamodb_stream_positions", patch=PATCH)
    rests = original(service, "_esm_backoff_until", patch=PATCH)
    mappings = original(service, "_iter_all_esms", patch=PATCH)
    replace(
        service, "_poll_dynamodb_streams", lambda poll: _with_windows(poll, positions, rests, mappings), patch=PATCH
    )


def _with_windows(
    poll: Callable[[], bool], positions: dict[str, int], rests: dict[str, float], mappings: Callable[[], Any]
) -> Callable[[], bool]:
    def poll_dynamodb_streams() -> bool:
        before = dict(positions)
        processed = poll()
        for _, _, mapping in mappings():
            name, window = mapping["UUID"], mapping.get("MaximumBatchingWindowInSeconds") or 0
            if window and positions.get(name) != before.get(name):
                rests[name] = time.time() + window
        return processed

    return poll_dynamodb_streams
