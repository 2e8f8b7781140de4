"""Speaking with Firebase Cloud Messaging, or its emulator: connections, addresses, credentials."""
