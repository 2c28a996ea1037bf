"""The documentation: Markdown pages, and the reference out of the docstrings. Build it with `make docs`."""

import os
import sys
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("ENV_FILE", os.devnull)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

project = "django-selfreg"
sys.path.insert(0, str(Path(__file__).parent))
extensions = ["myst_parser", "sphinx.ext.autodoc", "reference_tables"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "django-selfreg"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
myst_heading_anchors = 3
# References into Django and requests have no inventory to look into here.
nitpicky = False
