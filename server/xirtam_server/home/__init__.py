"""The home server: mailboxes, devices and profiles behind the methods of `xirtam_core.rpc.home_server`."""
