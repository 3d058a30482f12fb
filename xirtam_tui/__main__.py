"""The `xirtam` command. Without a command it is the app, started as directly as can be; the command line takes everything else."""

import gc
import os
import sys
from pathlib import Path

_APP_OPTIONS = ("--data-dir", "--account")


def main() -> None:
    """Runs `xirtam` with the arguments of this process."""
    options = _app_options(sys.argv[1:])
    if options is None:
        from xirtam_tui.cli import run

        run()
        return
    gc.disable()  # importing makes a great many objects and no garbage; the app turns it on again once it is painted
    from xirtam_core.errors import InvalidName
    from xirtam_core.names import Username
    from xirtam_tui.app import run_app

    try:
        account = Username.parse(options["--account"]) if "--account" in options else None
    except InvalidName as error:
        sys.exit(f"xirtam: {error}")
    run_app(_data_dir(options.get("--data-dir")), account, None)


def _app_options(arguments: list[str]) -> dict[str, str] | None:
    """The options, when there is nothing but options of the app; None when the command line must look at them."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in _APP_OPTIONS or (not equals and not rest):
            return None
        options[name] = value if equals else rest.pop(0)
    return options


def _data_dir(chosen: str | None) -> Path:
    if chosen or (chosen := os.environ.get("XIRTAM_DATA_DIR")):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("xirtam")


if __name__ == "__main__":
    main()
