"""The captchas that this site can show, and what they need on a page."""

from collections.abc import Callable
from dataclasses import dataclass

from selfreg.conf import Conf
from selfreg.idx.document import Captcha
from selfreg.idx.parser import PROOF_OF_WORK


@dataclass(frozen=True, slots=True)
class Widget:
    """What a provider's captcha needs on a page: the CSS class of its element and the URL of its script.

    The Content-Security-Policy also has to allow the sources of further ``scripts``, and of everything else
    (``sources``).
    """

    css_class: str
    script: str
    scripts: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def policy(self) -> dict[str, list[str]]:
        """The sources for each directive of the Content-Security-Policy."""
        others = {name: list(self.sources) for name in ("frame-src", "style-src", "connect-src")}
        return {"script-src": [self.script, *self.scripts], **others}


def _hcaptcha(settings: Conf) -> Widget:
    sources = ("https://hcaptcha.com", "https://*.hcaptcha.com")
    return Widget("h-captcha", f"https://{settings.hcaptcha_host}/1/api.js", sources, sources)


def _recaptcha(settings: Conf) -> Widget:
    """Return reCAPTCHA's widget. Only single folders are allowed, because other scripts below
    ``www.google.com/recaptcha/`` can be used to get around a Content-Security-Policy.
    """
    host = f"https://{settings.recaptcha_host}/recaptcha"
    # It loads scripts from another host, which has a mirror for China.
    static = "www.gstatic.cn" if settings.recaptcha_host.endswith("recaptcha.net") else "www.gstatic.com"
    releases = f"https://{static}/recaptcha/releases/"
    return Widget("g-recaptcha", f"{host}/api.js", (releases,), (f"{host}/api2/", releases))


WIDGETS: dict[str, Callable[[Conf], Widget]] = {"HCAPTCHA": _hcaptcha, "RECAPTCHA_V2": _recaptcha}


def widget_of(captcha: Captcha | None, settings: Conf) -> Widget | None:
    """Return the provider's widget; None if the page needs none, or can't show it."""
    known = WIDGETS.get(captcha.kind) if captcha and captcha.site_key else None
    return known(settings) if known else None


def can_be_shown(captcha: Captcha) -> bool:
    """Return whether this site's pages can show this captcha."""
    return captcha.kind == PROOF_OF_WORK or (captcha.kind in WIDGETS and bool(captcha.site_key))
