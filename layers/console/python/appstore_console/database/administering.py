"""What console_migrate is invoked for: by CloudFormation to migrate, by `./manage.py export-console` for a copy.

{"RequestType": "Update", …}               migrate, and tell CloudFormation how it ended
{"copy": {"table": "grants", "after": ""}} a page of a table
"""

from collections.abc import Mapping
from typing import Any

from appstore_console.custom_resource import answer
from appstore_console.database.copying import copy_page
from appstore_console.database.login import Clients
from appstore_console.database.migrate import migrate
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings


def administer(
    event: Mapping[str, Any], database: DatabaseSettings, roles: DatabaseRoleSettings, clients: Clients
) -> dict[str, Any]:
    """The names of the files that ran, or a page of a table. IAM says who may invoke the function."""
    if "copy" in event:
        return copy_page(str(event["copy"]["table"]), str(event["copy"]["after"]), database, clients)
    return {"ran": answer(event, lambda: migrate(database, roles, clients))}
