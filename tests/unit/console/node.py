"""Runs modules of the console in Node, without a page: words, numbers, scales."""

import json
import subprocess
from typing import Any

from infra.console.browser_files import CONSOLE
from workshop.toolchain import node_path


def evaluated(script: str, language: str = "en-GB") -> Any:
    """The value of `answer` after the script, which can import the console's modules by their paths from `console/`."""
    navigator = json.dumps({"value": {"language": language, "languages": [language]}})
    head = (
        f"Object.defineProperty(globalThis, 'navigator', {navigator});"
        f"const load = (path) => import({json.dumps(CONSOLE.as_uri() + '/')} + path);"
    )
    tail = "process.stdout.write(JSON.stringify(answer));"
    command = [str(node_path()), "--input-type=module"]
    done = subprocess.run(command, input=f"{head}\n{script}\n{tail}", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
