"""Tables of replicas, the processes of one bot that share a database; empty where there is one process only."""
