"""Comfy Bridge: mark API inputs in the editor, export them, and publish workflows to a bridge.

The pack has no nodes; ComfyUI serves the editor's part from ``web``.
"""

from __future__ import annotations

from typing import Any

NODE_CLASS_MAPPINGS: dict[str, Any] = {}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {}
WEB_DIRECTORY = "./web"

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]
