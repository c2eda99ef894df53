"""The site: pages, JSON API, WebSockets, uploads and downloads.

Views read rows and call `intake` and `lifecycle`; nothing in this package starts a process.
"""
