"""What importing the library costs: no screen, no server framework, and nothing heavy before it is used."""

import subprocess
import sys


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `statement`."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


FOREIGN = {"textual", "rich", "starlette", "uvicorn", "httptools", "uvloop", "xirtam_tui", "xirtam_server"}
HEAVY = {"httpx", "numpy", "websockets", "keyring"}


def test_importing_the_library_loads_nothing_foreign_and_nothing_heavy() -> None:
    assert not loaded_by("import xirtam_core") & (FOREIGN | HEAVY)


def test_the_wire_and_its_transports_load_nothing_heavy_either() -> None:
    statement = "import xirtam_core.rpc.home_server, xirtam_core.rpc.directory, xirtam_core.rpc.transports, xirtam_core.join_link"
    assert not loaded_by(statement) & (FOREIGN | HEAVY | {"sqlcipher3"})


def test_importing_the_client_loads_no_screen_and_no_server() -> None:
    assert not loaded_by("import xirtam_core.accounts") & FOREIGN
