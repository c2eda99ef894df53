"""Live updates of open pages by WebSocket, and the closing of pages."""
