import subprocess
import sys

import pytest

from local.load.memory import EMULATOR, MemorySampler, cpu_seconds_by_kind


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_process_that_is_not_yet_a_functions_is_not_counted() -> None:
    waits = (sys.executable, "-c", "input()")
    with subprocess.Popen(waits, stdin=subprocess.PIPE, env={}, process_group=0) as leader:
        with subprocess.Popen(waits, stdin=subprocess.PIPE, env={}, process_group=leader.pid) as copy:
            with MemorySampler(leader.pid) as memory:
                kinds = cpu_seconds_by_kind(leader.pid).keys()
            copy.kill()
        leader.kill()
    assert kinds == memory.by_kind().keys() == {EMULATOR}
