"""Answers of Apple for the client's tests."""

from local.apple.http import json_answer


def page(*ids, following=None):
    links = {"next": following} if following else {}
    return json_answer({"data": [{"type": "apps", "id": each} for each in ids], "links": links})


def instance(identifier, processing_date, granularity="DAILY"):
    return {"id": identifier, "attributes": {"granularity": granularity, "processingDate": processing_date}}
