"""The answers of donor mode. A stranger's says nothing but no."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .donor import Donor


def refuse(status: int, error: str, retry_after: int | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response({"error": error}, status=status, headers=headers)


def forbidden() -> web.Response:
    return refuse(403, "forbidden")


def turn_away(is_over_limit: bool) -> web.Response:
    """For strangers. The connection ends with it, so that what they still send is not waited for."""
    response = refuse(429, "too many requests", 60) if is_over_limit else forbidden()
    response.force_close()
    return response


def donor_paused(donor: Donor) -> web.Response:
    status = donor.status()
    info = {"reason": status["reason"], "until": status["until"]}
    message = "This machine is paused by its owner; run the prompt on another one, or wait."
    return _prompt_error(503, "donor_paused", message, info, donor.seconds_left())


def donor_queue_full(donor: Donor) -> web.Response:
    message = "This machine has as many unfinished prompts as its owner allows; wait for one to end."
    return _prompt_error(429, "donor_queue_full", message, {"maxQueue": donor.config.max_queue}, 1)


def bad_prompt(kind: str, message: str) -> web.Response:
    return _prompt_error(400, kind, message, {}, None)


def _prompt_error(
    status: int, kind: str, message: str, extra_info: dict[str, Any], retry_after: int | None
) -> web.Response:
    """In the shape of ComfyUI's own refusals of a prompt."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    error = {"type": kind, "message": message, "details": "", "extra_info": extra_info}
    return web.json_response({"error": error, "node_errors": {}}, status=status, headers=headers)
