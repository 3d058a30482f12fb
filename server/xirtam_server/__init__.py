"""The server of a xirtam network: home server, directory, or both in one process."""
