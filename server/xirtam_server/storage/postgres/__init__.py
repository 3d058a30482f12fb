"""The home server's store on PostgreSQL, which any number of processes share."""
