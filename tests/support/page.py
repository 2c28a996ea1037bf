"""A page as a browser parses it: forms with their fields and buttons, and the messages beside each field."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.test.html import Element, parse_html

# Controls of these types are sent only when a person ticks or presses them.
TICKED = ("checkbox", "radio")


def attribute(element: Element, name: str) -> str | None:
    """None when absent; "" for a boolean attribute that is set."""
    found = dict(element.attributes)
    return (found[name] or "") if name in found else None


def walk(element: Element) -> Iterator[Element]:
    """An element and everything in it, in the order of the page."""
    remaining = [element]
    while remaining:
        yield (current := remaining.pop())
        remaining += [child for child in reversed(current.children) if not isinstance(child, str)]


def text(element: Element) -> str:
    """The visible text with white space collapsed."""
    if element.name in ("script", "style", "head"):
        return ""
    pieces = [child if isinstance(child, str) else text(child) for child in element.children]
    return " ".join(" ".join(pieces).split())


@dataclass
class Control:
    name: str
    type: str
    value: str
    label: str
    ticked: bool = False
    hidden: bool = False
    attributes: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Form:
    action: str
    method: str
    controls: list[Control]
    buttons: list[tuple[str, str, str]]
    """Name, value and text of every submit button, in order."""

    def find(self, label_or_name: str) -> list[Control]:
        """The control with a name or label; all of a group of radio buttons. Raises LookupError."""
        found = [c for c in self.controls if label_or_name in (c.name, c.label)]
        if not found:
            raise LookupError(f"no field {label_or_name!r}, only {[(c.name, c.label) for c in self.controls]}")
        return found

    def data(self) -> dict[str, str]:
        """The values that a browser sends, without a button."""
        return {c.name: c.value for c in self.controls if c.name and (c.type not in TICKED or c.ticked)}


class Page:
    def __init__(self, url: str, html: str) -> None:
        self.url, self.html = url, html

    @cached_property
    def root(self) -> Element:
        return parse_html(self.html) if "<" in self.html else Element("html", ())

    @cached_property
    def elements(self) -> list[Element]:
        return list(walk(self.root))

    @cached_property
    def labels(self) -> dict[str | None, str]:
        """The label texts by the id of their control."""
        return {attribute(e, "for"): text_of_label(e) for e in self.all("label")}

    def all(self, tag: str, css_class: str = "", within: Element | None = None) -> list[Element]:
        found = [e for e in (walk(within) if within else self.elements) if e.name == tag]
        return [e for e in found if not css_class or css_class in (attribute(e, "class") or "").split()]

    @property
    def text(self) -> str:
        return text(self.root)

    @property
    def title(self) -> str:
        """The title of the page, which `text` does not include."""
        (title,) = self.all("title")
        return " ".join("".join(c for c in title.children if isinstance(c, str)).split())

    @property
    def heading(self) -> str:
        return text(self.all("h1")[0])

    @cached_property
    def forms(self) -> list[Form]:
        """All forms except the language switch in the footer."""
        return [self.form(e) for e in self.all("form") if "languages" not in (attribute(e, "class") or "")]

    def link(self, words: str) -> str:
        found = [attribute(e, "href") for e in self.all("a") if text(e) == words]
        if not found or found[0] is None:
            raise LookupError(f"no link {words!r}, only {[text(e) for e in self.all('a')]}")
        return found[0]

    def problems(self) -> list[str]:
        """The errors in the summary at the top."""
        return [text(item) for box in self.all("div", "error-summary") for item in self.all("li", within=box)]

    def notices(self) -> list[str]:
        return [text(e) for e in self.all("div", "notice")]

    def cells(self) -> list[str]:
        """The texts of all table cells."""
        return [text(cell) for cell in self.all("td")]

    def beside(self, name: str) -> list[str]:
        """The messages in the same box as the control of this name."""
        boxes = [*self.all("div", "field"), *self.all("fieldset", "choices")]
        box = next(b for b in boxes if any(attribute(e, "name") == name for e in walk(b)))
        return [text(e) for e in self.all("p", "field-error", within=box)]

    def typed(self, label_or_name: str) -> str:
        """The current value of a field."""
        (control,) = next(f for f in self.forms if f.controls).find(label_or_name)
        return control.value

    def names(self) -> list[str]:
        """The names of the visible fields, in order, without duplicates."""
        shown = [c.name for f in self.forms for c in f.controls if not c.hidden]
        return list(dict.fromkeys(shown))

    def form(self, element: Element) -> Form:
        buttons = [
            (attribute(b, "name") or "", attribute(b, "value") or "", text(b))
            for b in self.all("button", within=element)
            if attribute(b, "type") in (None, "submit")
        ]
        return Form(
            attribute(element, "action") or self.url,
            (attribute(element, "method") or "get").upper(),
            [self.control(e) for e in walk(element) if e.name in ("input", "select", "textarea")],
            buttons,
        )

    def control(self, element: Element) -> Control:
        kind = attribute(element, "type") or ("text" if element.name == "input" else str(element.name))
        return Control(
            name=attribute(element, "name") or "",
            type=kind,
            value=value_of(element, kind),
            label=self.labels.get(attribute(element, "id"), ""),
            ticked=attribute(element, "checked") is not None,
            hidden=kind == "hidden" or attribute(element, "tabindex") == "-1",
            attributes=dict(element.attributes),
        )


def text_of_label(element: Element) -> str:
    """The text of a label without "(optional)" and without a hint."""
    return " ".join(" ".join(c for c in element.children if isinstance(c, str)).split())


def value_of(element: Element, kind: str) -> str:
    if element.name == "select":
        options = [e for e in walk(element) if e.name == "option"]
        chosen = [o for o in options if attribute(o, "selected") is not None] or options[:1]
        return attribute(chosen[0], "value") or "" if chosen else ""
    if element.name == "textarea":
        return text(element)
    return attribute(element, "value") or ("on" if kind in TICKED else "")
