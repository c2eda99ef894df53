"""What people meet: pages, the API behind them, sockets, uploads, files.

Everything here reads rows and asks `intake` and `lifecycle`; nothing here starts a process.
"""
