"""The AWS resources, one construct per file; `stack.py` composes them and grants each function its permissions."""
