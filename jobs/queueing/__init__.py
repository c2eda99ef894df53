"""The queues: tickets, the order of owners, quotas, and the processes that work."""
