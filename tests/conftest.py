"""What holds for every test."""

import signal

# A shell that starts the suite in the background has it ignore these, and so would every process that a test starts and interrupts.
for interruption in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(interruption) is signal.SIG_IGN:
        signal.signal(interruption, signal.default_int_handler)
