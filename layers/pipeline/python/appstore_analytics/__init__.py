"""App Store Analytics: Apple's Analytics Reports in your own AWS account, complete and correct every morning."""
