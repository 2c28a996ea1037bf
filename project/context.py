from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """The name in the header of every page, the sign-up's included."""
    return {"site_name": "django-selfreg demo"}
