"""The expressions of `filter` and `search`, as in SCIM (RFC 7644): comparisons, `and`, `or`, `not` and parentheses."""

import json
import operator
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from okta_devorg.management.json_api import value_at
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.ion import Json

TOKEN = re.compile(r'\s*(\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+)')
NAME = re.compile(r"\w+(?:\.\w+)*")
# Values without quotes.
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
WORDS = {"true": True, "false": False, "null": None}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "sw": lambda value, operand: str(value).startswith(str(operand)),
    "ew": lambda value, operand: str(value).endswith(str(operand)),
    "co": lambda value, operand: str(operand) in str(value),
}
DEEPEST_NESTING = 20

Predicate = Callable[[Json], bool]


def matching(items: Iterable[Json], *expressions: str) -> list[Json]:
    """Return the items of which every expression is true; an empty one always is. Case of values does not matter.

    :raises ApiError: 400, if one is no such expression, whether there are items or not.
    """
    predicates = [_predicate(expression) for expression in expressions if expression]
    return [item for item in items if all(predicate(item) for predicate in predicates)]


@lru_cache(maxsize=64)
def _predicate(expression: str) -> Predicate:
    return _Parser(expression).predicate()


class _Parser:
    """Reads one expression from left to right. Nesting is limited: every level is a level of calls."""

    def __init__(self, expression: str) -> None:
        self._expression, self._depth = expression, 0
        self._tokens, end = [], 0
        while match := TOKEN.match(expression, end):
            self._tokens.append(match[1])
            end = match.end()
        if expression[end:].strip():
            raise self._error()

    def predicate(self) -> Predicate:
        predicate = self._any_of()
        if self._tokens:
            raise self._error()
        return predicate

    def _error(self) -> ApiError:
        return ApiError(400, "E0000031", f"Invalid search criteria: {self._expression[:200]}")

    def _next_is(self, word: str) -> bool:
        """Take the next token if it is this word, and return whether it is."""
        is_next = bool(self._tokens) and self._tokens[0].lower() == word
        if is_next:
            self._tokens.pop(0)
        return is_next

    def _take(self) -> str:
        if not self._tokens:
            raise self._error()
        return self._tokens.pop(0)

    def _any_of(self) -> Predicate:
        terms = [self._all_of()]
        while self._next_is("or"):
            terms.append(self._all_of())
        return lambda item: any(term(item) for term in terms)

    def _all_of(self) -> Predicate:
        terms = [self._term()]
        while self._next_is("and"):
            terms.append(self._term())
        return lambda item: all(term(item) for term in terms)

    def _term(self) -> Predicate:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise self._error()
        if self._next_is("not"):
            negated = self._term()
            term: Predicate = lambda item: not negated(item)  # noqa: E731 (one line is clearer than a nested function)
        elif self._next_is("("):
            term = self._any_of()
            if not self._next_is(")"):
                raise self._error()
        else:
            term = self._comparison()
        self._depth -= 1
        return term

    def _comparison(self) -> Predicate:
        name, sign = self._take(), self._take().lower()
        if not NAME.fullmatch(name) or sign not in (*OPERATORS, "pr"):
            raise self._error()
        path = name.split(".")
        if sign == "pr":
            return lambda item: value_at(item, *path) not in (None, "", [])
        operand, compare = self._operand(), OPERATORS[sign]
        return lambda item: _compares(compare, value_at(item, *path), operand)

    def _operand(self) -> object:
        token = self._take()
        if token.startswith('"'):
            try:
                return json.loads(token, strict=False)
            except ValueError:
                raise self._error() from None
        if token in WORDS:
            return WORDS[token]
        if NUMBER.fullmatch(token):
            return float(token)
        raise self._error()


def _compares(compare: Callable[[Any, Any], bool], value: object, operand: object) -> bool:
    """Compare numbers as numbers and all else as text. Of a list, one element has to fit."""
    if isinstance(value, list):
        return any(_compares(compare, element, operand) for element in value)
    if isinstance(operand, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return compare(value, operand)
    return compare(_text(value), _text(operand))


def _text(value: object) -> str:
    return "" if value is None else str(value).casefold()
