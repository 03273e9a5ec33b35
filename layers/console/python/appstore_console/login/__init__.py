"""Sign-in: the console's own form over Cognito."""
