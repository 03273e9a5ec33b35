"""Damaged bytes in the place of KPIs, told apart from errors of the machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


class KpisUnreadableError(Exception):
    """An object has bytes that are no Parquet file of ours."""


@contextmanager
def damage_named() -> Iterator[None]:
    """KpisUnreadableError for what Arrow raises about damaged bytes.

    That is an ArrowException, or a plain OSError. Errors of the machine have a class or a number of their own.
    """
    try:
        yield
    except pa.ArrowException as error:
        raise KpisUnreadableError(str(error)) from error
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:
            raise
        raise KpisUnreadableError(str(error)) from error
