-- The audit log has a database of its own, made with the server; this one is the registry's.
CREATE DATABASE mlflow OWNER smoulder;
