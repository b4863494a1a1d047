"""Parts of a page that look the same for the same values: drawn once, then kept by this process.

    {% kept list.face %} … {% endkept %}

Between the tags nothing may depend on anything but the values named and the language: no `csrf_token`, nothing
of the person. Each place in a template keeps a bounded number of texts and gives up the oldest first.
"""

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

MOST = 200  # texts kept for one place in a template


class KeptNode(template.Node):
    def __init__(self, names: list[FilterExpression], nodes: NodeList) -> None:
        self.names, self.nodelist = names, nodes
        self.texts: dict[tuple[Any, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        key = (get_language(), *[name.resolve(context) for name in self.names])
        text = self.texts.get(key)
        if text is None:
            text = self.nodelist.render(context)
            if len(self.texts) >= MOST:
                self.texts.pop(next(iter(self.texts)), None)
            self.texts[key] = text
        return text


def kept(parser: Parser, token: Token) -> KeptNode:
    """{% kept a b %} … {% endkept %}: drawn once for these values, which must be hashable, and the language."""
    names = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    nodes = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(names, nodes)
