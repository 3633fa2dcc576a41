"""Mock servers in the background, which record real HTTP traffic and replay it offline."""

from .control import Control, MockServer, MockServeError

__all__ = ["Control", "MockServer", "MockServeError"]
