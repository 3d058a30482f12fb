"""The `xirtam` command. Without a command it is the app, started as directly as can be; the command line takes everything else."""

import gc
import os
import sys
from importlib.util import find_spec

_APP_OPTIONS = ("--data-dir", "--account")


def main() -> None:
    """Runs `xirtam` with the arguments of this process."""
    if find_spec("textual") is None or find_spec("sqlcipher3") is None:
        sys.exit("xirtam: the app is not installed: pip install 'xirtam[app]'")
    options = _app_options(sys.argv[1:])
    if options is None:
        from xirtam_tui.cli import run

        run()
        return
    gc.disable()  # importing makes a great many objects and no garbage; the app turns it on again once it is painted
    from xirtam_core.errors import InvalidName
    from xirtam_core.names import Username
    from xirtam_tui.app import run_app
    from xirtam_tui.data_directory import data_directory

    try:
        account = Username.parse(options["--account"]) if "--account" in options else None
    except InvalidName as error:
        sys.exit(f"xirtam: {error}")
    run_app(data_directory(options.get("--data-dir")), account, None)


def _app_options(arguments: list[str]) -> dict[str, str] | None:
    """The options, when there is nothing but options of the app; None when the command line must look at them."""
    if "XIRTAM_PASSPHRASE_FILE" in os.environ:
        return None
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in _APP_OPTIONS or (not equals and not rest):
            return None
        options[name] = value if equals else rest.pop(0)
    return options


if __name__ == "__main__":
    main()
