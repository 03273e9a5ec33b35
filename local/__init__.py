"""The two simulators, of App Store Connect and of AWS, and what runs on them: the demo and the load test."""
