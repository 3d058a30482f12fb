"""How the network and its directory are."""
