"""Pictures of pages, saved in the folder SCREENSHOTS for review."""

import os
from pathlib import Path

from playwright.sync_api import Page

PICTURES = os.environ.get("SCREENSHOTS", "")


def keep_picture(page: Page, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(PICTURES, f"{name}.png"), full_page=True, animations="disabled")
