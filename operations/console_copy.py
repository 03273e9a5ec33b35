"""Reads the web console's application data with AWS permissions, through the only function that reaches all of it."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from appstore_analytics.answers.errors import Unreachable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TABLES = ("grants", "views", "annotations", "audit", "subscriptions", "digests_sent")


class ConsoleCopy:
    """The tables of one deployed console."""

    def __init__(self, lambda_: "LambdaClient", outputs: Mapping[str, str]) -> None:
        if "ConsoleMigrateFunction" not in outputs:
            raise Unreachable("The console was deployed by an earlier version of this project: deploy this one.")
        self._lambda = lambda_
        self._function = outputs["ConsoleMigrateFunction"]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows of a table, in the order of their keys; Unreachable if the function or PostgreSQL fails."""
        after = ""
        while True:
            page = self._page({"copy": {"table": table, "after": after}})
            yield from page["rows"]
            after = page["next"]
            if not after:
                return

    def _page(self, event: Mapping[str, Any]) -> dict[str, Any]:
        answered = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event))
        answer = json.loads(answered["Payload"].read())
        if "FunctionError" in answered:
            raise Unreachable(f"The copy failed: {answer.get('errorMessage', '')} The log is that of {self._function}.")
        return dict(answer)
