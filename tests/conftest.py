"""What holds for all tests."""

import signal

# A shell that runs in the background ignores Ctrl-C, and what it starts inherits that: tests that
# interrupt a command would then wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
