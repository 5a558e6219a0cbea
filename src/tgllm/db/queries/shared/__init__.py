"""Queries of replicas, the processes of one bot that share a database."""
