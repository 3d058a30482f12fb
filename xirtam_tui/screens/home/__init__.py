"""Moving the account to another home server."""
