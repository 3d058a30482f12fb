"""The steps of the schema, each what a release brought."""
