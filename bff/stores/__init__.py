"""The two servers things are kept in, Valkey and PostgreSQL, and what is built on them."""
