"""The use of Apple and AWS on a usual day, counted with the real steps, and the monthly bill that follows from it."""
