"""An S3 server on loopback, for tests of what is kept there."""

import contextlib
from collections.abc import Generator

import httpx
from moto.server import ThreadedMotoServer

BUCKET = "attachments"
SECRET = "secret-of-the-harbor"


@contextlib.contextmanager
def s3_server() -> Generator[dict[str, str]]:
    """A server with the bucket `BUCKET`; the environment in which it is found."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        with httpx.Client(trust_env=False) as web:
            web.put(f"{endpoint}/{BUCKET}").raise_for_status()
        yield {
            "AWS_ENDPOINT": endpoint,
            "AWS_ACCESS_KEY_ID": "harbor",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.stop()
