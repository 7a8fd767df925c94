"""Three small nodes for the contract suite, so that it can see progress, previews, failures and text frames of a real
ComfyUI without any model. Put this folder into custom_nodes/ of the server that COMFY_URL points at."""
import time

from PIL import Image

import comfy.utils
from server import PromptServer


class TraceStep:
    """Hands its image on after some slow steps, each with progress and, if wanted, a preview."""

    CATEGORY = "trace"
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "image": ("IMAGE",),
                "steps": ("INT", {"default": 5, "min": 1, "max": 1000}),
                "seconds": ("FLOAT", {"default": 0.1, "min": 0, "max": 60}),
                "preview": ("BOOLEAN", {"default": False}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1}),
            }
        }

    def run(self, image, steps, seconds, preview, seed):
        bar = comfy.utils.ProgressBar(steps)
        for step in range(steps):
            time.sleep(seconds)
            picture = ("JPEG", Image.new("RGB", (64, 64), (step * 40 % 256, 120, 200)), 512) if preview else None
            bar.update_absolute(step + 1, steps, picture)
        return (image,)


class TraceFail:
    """Fails with the message given."""

    CATEGORY = "trace"
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",), "message": ("STRING", {"default": "boom"})}}

    def run(self, image, message):
        raise RuntimeError(message)


class TraceText:
    """Sends a text frame and shows its text."""

    CATEGORY = "trace"
    FUNCTION = "run"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"text": ("STRING", {"multiline": True, "default": "hello"})},
            "hidden": {"unique_id": "UNIQUE_ID"},
        }

    def run(self, text, unique_id):
        PromptServer.instance.send_progress_text(f"working on {text}", unique_id)
        return {"ui": {"text": [text]}}


NODE_CLASS_MAPPINGS = {"TraceStep": TraceStep, "TraceFail": TraceFail, "TraceText": TraceText}
