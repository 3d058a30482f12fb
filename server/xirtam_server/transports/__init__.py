"""The doors of a server: how requests come in and answers go out. None of them knows a method."""
