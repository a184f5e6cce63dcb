"""What all tests need: signals that mean what they say, however the tests were started."""

import signal

# A shell's background jobs ignore Ctrl-C, and those of nohup a closed terminal; their children would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
