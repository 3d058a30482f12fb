"""A process that searches for one proof of work: `python -m xirtam_core.directory.pow.worker`, started by solver.py.

It reads one line, `seed effort` (the seed in hex), and then writes lines:

    tried                    a challenge had no solution that meets the effort
    found nonce solution     the end (the solution in hex)
    failed reason            the end

It lives no longer than its standard input, which its parent keeps open: so it ends with the parent, however that ends.
"""

import os
import signal
import sys
import threading


def main() -> None:
    # Ctrl+C in a terminal reaches every process of the group. It is the parent's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    seed, effort = sys.stdin.buffer.readline().split()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        _search(bytes.fromhex(seed.decode()), int(effort))
    except BrokenPipeError:
        os._exit(0)
    except Exception as error:
        _say(f"failed {type(error).__name__}: {error}")


def _exit_with_parent() -> None:
    # Not through sys.stdin, whose lock this thread would hold while the interpreter shuts down.
    while os.read(0, 4096):
        pass
    os._exit(0)


def _search(seed: bytes, effort: int) -> None:
    # In here, so that a failure to load it is told to the parent.
    from xirtam_core.directory.pow.search import Search, keep_freed_memory

    keep_freed_memory()
    search = Search(seed, effort)
    while (found := search.try_next()) is None:
        _say("tried")
    nonce, solution = found
    _say(f"found {nonce} {solution.hex()}")


def _say(line: str) -> None:
    # One line, whatever an error's text holds.
    os.write(1, " ".join(line.split()).encode() + b"\n")


if __name__ == "__main__":
    main()
