"""`python -m tests.e2e.console [PORT]`: the console with invented data, for work on the pages."""

import sys
import time

from appstore_console.rights import Role
from tests.e2e.console.imitation.server import CODE, NEW_PASSWORD, World, serve


def main() -> None:
    """Serve until Ctrl-C; each request for the page bundles the console again."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8400
    with serve(World(role=Role.ADMIN, is_signed_in=False), port, packs_anew=True) as server:
        sys.stdout.write(f"{server.url} · any address, password {NEW_PASSWORD}, code {CODE} · Ctrl-C ends\n")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
