"""The way back to the list, with the filters, search and page that the administrator came from."""

from urllib.parse import urlencode

from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, QueryDict

from selfreg.admin.filters import PARAMETERS
from selfreg.admin.pagination import PAGE_PARAMETERS

FILTERS_PARAMETER = "_changelist_filters"  # its name in Django's admin


def kept_filters(request: HttpRequest) -> str:
    """Return the query of the list that the administrator came from."""
    text = request.POST.get(FILTERS_PARAMETER) or request.GET.get(FILTERS_PARAMETER)
    query = request.GET if text is None else QueryDict(text)
    kept = [(name, query[name]) for name in query if name in (*PARAMETERS, *PAGE_PARAMETERS, SEARCH_VAR)]
    return urlencode(kept)


def with_query(url: str, query: str) -> str:
    """Return a URL with a query string, if there is one."""
    return f"{url}?{query}" if query else url
