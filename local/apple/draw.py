"""Reproducible randomness: the same seed and words give the same draw, in every process."""

import hashlib
import random
import uuid

NAMESPACE = uuid.UUID("5f0e3f0e-6d0d-4a53-9c55-0f3f0d7a1c11")


def generator(seed: int, *words: object) -> random.Random:
    """The random generator for these words."""
    return random.Random("|".join(map(str, (seed, *words))))  # noqa: S311 (data that repeats, no secret)


def share(seed: int, *words: object) -> float:
    """The number in [0, 1) for these words."""
    digest = hashlib.blake2b("|".join(map(str, (seed, *words))).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def identifier(seed: int, *words: object) -> str:
    """The UUID for these words."""
    return str(uuid.uuid5(NAMESPACE, "|".join(map(str, (seed, *words)))))
