"""The execution of stages: supervisors and their child processes, the recording of results, and the reaper."""
