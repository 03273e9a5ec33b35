"""The registry: what is known about requests, instances, dirty Dates, calls and runs, in one DynamoDB table.

pk                   sk                                              one item per
APP#<app id>         REQUEST#<access type>                           report request, with its claim
APP#<app id>         INSTANCE#<access type>#<processing date>#<id>   instance: the ledger
DIRTY#<table>        <Date>                                          Date whose parts changed since it was proved
BUDGET#<key name>    CALLS                                           API key: calls of the rolling hour
RUN#<run id>         <MAP>#<item>                                    manifest item: planned, then how it ended
RUN#<run id>         PART#<app id>#<instance>#<table>#<Date>         part that the run wrote: the journal
STATISTICS           TOTAL                                           counters over all time
"""

from appstore_analytics.registry.registry import Registry

__all__ = ["Registry"]
