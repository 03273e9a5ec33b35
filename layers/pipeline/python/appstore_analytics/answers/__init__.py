"""What can be asked of an installed pipeline: facts for a terminal, a program or a page, and none of these."""
