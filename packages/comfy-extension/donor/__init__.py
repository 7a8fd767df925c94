"""Donor mode: lends this ComfyUI to a bridge, locked against everybody else, without leaving anything behind."""
