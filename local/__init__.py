"""What stands in for Apple and AWS on a laptop; nothing that ships imports it."""
