"""Builds the wheel and installs it into empty environments: a client without the server's extras, and the other way round.

Run it with the project's own interpreter, as `make wheel` does. Exits with the first command that fails.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "app": (
        "import xirtam_core.accounts, xirtam_tui.app, importlib.util as u; assert u.find_spec('starlette') is None",
        ("xirtam", "--version"),
    ),
    "bot": (
        "import xirtam_core.accounts, importlib.util as u; assert u.find_spec('textual') is None",
        None,
    ),
    "server": (
        "import importlib.util as u; assert u.find_spec('textual') is None and u.find_spec('sqlcipher3') is None",
        ("xirtam-server", "--version"),
    ),
}


def run(*command: str | Path) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT)


def main() -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place)
        (wheel,) = place.glob("*.whl")
        styles = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".tcss")]
        in_tree = [*(ROOT / "xirtam_tui").rglob("*.tcss")]
        if len(styles) != len(in_tree):
            sys.exit(f"the wheel holds {len(styles)} style sheets, the tree {len(in_tree)}")
        for extra, (statement, command) in CHECKS.items():
            environment = place / extra
            run(uv, "venv", "--quiet", "--python", sys.executable, environment)
            python = environment / "bin" / "python"
            run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", pins(place), f"{wheel}[{extra}]")
            run(python, "-I", "-c", statement)
            if command is not None:
                run(environment / "bin" / command[0], *command[1:])
    print(f"the wheel works: {wheel.name}, with {', '.join(CHECKS)}", flush=True)


def pins(place: Path) -> Path:
    """The pinned versions without their hashes, which a local wheel does not have."""
    target = place / "pins.txt"
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    kept = [line.removesuffix(" \\") for line in lines if not line.startswith("    --hash")]
    target.write_text("\n".join(kept) + "\n")
    return target


if __name__ == "__main__":
    os.environ.pop("VIRTUAL_ENV", None)
    main()
