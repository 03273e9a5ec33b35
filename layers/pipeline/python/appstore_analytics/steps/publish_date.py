"""publish_date: merges the parts of all apps into one object per table and Date, which is replaced atomically."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from appstore_analytics.contract.facts import PublishFacts
from appstore_analytics.contract.layout import run_key
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.publication import Publication, publish
from appstore_analytics.lake.run_notes import announce_changes, announced_changes, withdraw_changes
from appstore_analytics.model.items import PublishItem
from appstore_analytics.model.parts import Batch
from appstore_analytics.registry import Registry
from appstore_analytics.rules.vintage import is_final


def publish_date(item: PublishItem, registry: Registry, lake: Bucket) -> dict[str, str]:
    """Publish one dirty Date.

    The mark's token is read before the parts are listed, and recorded for verify_table, which clears the mark: a Date
    stays dirty until it is verified. The changes are written before the object is replaced. A second run finds the same
    digest and rewrites nothing; after a crash following the replacement it finds its own announcement.
    """
    table, table_date = tables_by_name()[item.table], item.table_date

    def announce(publication: Publication) -> None:
        announce_changes(lake, _announcement(item, publication), _changes(item, table, publication))

    token = registry.dirty_dates.token(table_date)
    with TemporaryDirectory() as scratch:
        publication = publish(lake, table, table_date.day, Path(scratch), announce)
    changed = announced_changes(lake, _announcement(item, publication))
    verdict = Verdict.UNCHANGED if changed is None else Verdict.PUBLISHED
    announced = _true_announcements(item, publication, registry, lake)
    facts = PublishFacts(publication.rows, batches_changed=changed or 0, token=token, announced=announced)
    registry.runs.finish(item, verdict, **facts.to_record())
    return step_result(Outcome.DONE)


def _announcement(item: PublishItem, publication: Publication) -> str:
    """A run can publish a Date more than once, as a backfill with several passes does: each publication has its own
    lines."""
    return f"{_announcements(item)}{publication.digest[:16] or 'removed'}.jsonl"


def _announcements(item: PublishItem) -> str:
    return run_key(item.run_id, f"batches/{item.table}/{item.day}/")


def _true_announcements(
    item: PublishItem, publication: Publication, registry: Registry, lake: Bucket
) -> tuple[str, ...]:
    """The announcements that took effect, now or in an earlier pass of the run; all others are withdrawn."""
    record = registry.runs.get(item)
    true = {_announcement(item, publication), *PublishFacts.of(record.facts if record else {}).announced}
    announced = {stored.key for stored in lake.list(_announcements(item))}
    for key in announced - true:
        withdraw_changes(lake, key)
    return tuple(sorted(announced & true))


def _changes(item: PublishItem, table: CuratedTable, publication: Publication) -> list[dict[str, Any]]:
    """The lines of the restatement ledger: the rows of each app's Date now, and before."""
    return [
        {
            "run_id": item.run_id,
            "table_name": item.table,
            "date": item.day,
            "app_id": batch.app_id,
            "processing_date": change.now.vintage.processing_date if change.now else None,
            "access_type": change.now.vintage.access_type if change.now else None,
            "instance_id": change.now.vintage.instance_id if change.now else None,
            "rows": change.now.rows if change.now else 0,
            "sums": dict(change.now.sums) if change.now else None,
            "replaced_processing_date": change.before.vintage.processing_date if change.before else None,
            "replaced_instance_id": change.before.vintage.instance_id if change.before else None,
            "replaced_rows": change.before.rows if change.before else None,
            "replaced_sums": dict(change.before.sums) if change.before else None,
            "is_final": _is_final(change.now, item, table),
            "replaced_is_final": _is_final(change.before, item, table),
        }
        for change in publication.changes
        if (batch := change.now or change.before)
    ]


def _is_final(batch: Batch | None, item: PublishItem, table: CuratedTable) -> bool | None:
    return None if batch is None else is_final(item.table_date.day, table, batch.vintage.processing_date)
