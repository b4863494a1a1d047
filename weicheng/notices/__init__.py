"""通知: messages in the app and by mail, jobs with a lease, effects that happen once."""
