"""`xirtam-server`, also as `python -m xirtam_server`."""

from xirtam_server.cli import app


def main() -> None:
    """Runs the command line."""
    app(prog_name="xirtam-server")


if __name__ == "__main__":
    main()
