"""The little Markdown that descriptions use, as HTML: `code`, **weight**, paragraphs and lists."""

import re

from markupsafe import Markup, escape


def render(text: str) -> Markup:
    """HTML of this text; what it has of HTML itself is escaped."""
    blocks = re.split(r"\n\n|\n(?=\* )", text.strip())
    lines = [_line(block.removeprefix("* "), "li" if block.startswith("* ") else "p") for block in blocks if block]
    return Markup(re.sub(r"(<li>.*</li>)", r"<ul>\1</ul>", "".join(lines), flags=re.DOTALL))  # noqa: S704  # Escaped above.


def _line(block: str, tag: str) -> str:
    inside = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(" ".join(block.split()))))
    return f"<{tag}>" + re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", inside) + f"</{tag}>"
