"""What a usual day uses of Apple and AWS, counted with the real steps, and the monthly bill that follows from it."""
