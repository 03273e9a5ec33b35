"""The AWS resources, one construct per file; `stack.py` composes them and says what each function may do."""
