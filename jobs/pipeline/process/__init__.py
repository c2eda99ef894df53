"""Process groups of children, their leader, and the messages between supervisor and child."""
