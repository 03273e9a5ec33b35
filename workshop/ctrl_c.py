"""The exit status of a program that Ctrl-C has ended."""


def interrupted() -> int:
    """130, the exit status that shells expect after Ctrl-C.

    CPython remembers a Ctrl-C inside `exec`, which imports run, for example of dataclasses; even if it was caught, the
    program would end by the signal at its very end. The next `exec` makes it forget (run_eval_code_obj in pythonrun.c).
    """
    exec("")  # noqa: S102 (our own empty text)
    return 130
