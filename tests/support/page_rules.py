"""What every page must keep to, whatever it is about: read from its markup, without a browser."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit

from support.shopper import Page, Reader

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
SVG = frozenset({"path", "circle", "rect", "use", "line", "polyline", "polygon"})
FORBIDDEN = frozenset({"style", "iframe", "object", "embed", "base", "frame", "applet", "marquee", "math", "template"})
URLS = frozenset(
    {"href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "background", "cite"}
)
REFERENCES = frozenset({"aria-labelledby", "aria-describedby", "aria-controls", "for"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Markup(HTMLParser):
    """All elements of a page in order, with the text inside of each, and whatever is not well formed."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    doctype: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.flaws.append(f"<{tag}> has an attribute twice")
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        for around in self.open:
            around.text += element.attributes.get("alt", "") if tag == "img" else ""
        if tag not in VOID | SVG:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in SVG:
            return
        if not self.open or self.open.pop().tag != tag:
            self.flaws.append(f"</{tag}> does not close what was opened last")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]


def markup_of(page: Page) -> Markup:
    found = Markup()
    found.feed(page.reply.text)
    found.close()
    found.flaws += [f"<{element.tag}> is never closed" for element in found.open]
    return found


def flaws_of(page: Page, *, signed_in: bool) -> list[str]:
    """Every law that the page breaks; an empty list for a good page."""
    markup = markup_of(page)
    flaws = [*markup.flaws, *_frame(markup), *_scripts(page, markup), *_elements(markup)]
    return flaws + _labels(markup) + _references(markup) + _forms(page, markup, signed_in=signed_in) + _dead_end(page)


def _frame(markup: Markup) -> list[str]:
    """The parts that each page has exactly once."""
    counts = {tag: len(markup.all(tag)) for tag in ("html", "head", "title", "body", "h1", "main")}
    flaws = [f"{count} times <{tag}>" for tag, count in counts.items() if count != 1]
    (html,) = markup.all("html")
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", html.attributes.get("lang", "")) or "dir" not in html.attributes:
        flaws.append("no language or direction")
    if markup.doctype.lower() != "doctype html":
        flaws.append("no doctype")
    if not all(element.text.strip() for element in markup.all("title", "h1", "h2", "h3", "button", "a", "label")):
        flaws.append("a heading, button or link without words")
    if "viewport" not in {meta.attributes.get("name") for meta in markup.all("meta")}:
        flaws.append("no viewport")
    levels = [int(element.tag[1]) for element in markup.all("h1", "h2", "h3", "h4")]
    if any(below - above > 1 for above, below in pairwise(levels)):
        flaws.append(f"a heading level is left out: {levels}")
    return flaws


def nonce_of(page: Page) -> str:
    found = re.search(r"'nonce-([\w-]+)'", page.reply.headers["content-security-policy"])
    assert found, "the policy of a page names a nonce"
    return found[1]


def _scripts(page: Page, markup: Markup) -> list[str]:
    """Scripts only from files of ours, and only with this answer's nonce; what is data in one holds no markup."""
    flaws = []
    for script in markup.all("script"):
        if script.attributes.get("type") == "application/ld+json":
            flaws += ["data with markup in it"] if set("<>&") & set(script.text) else []
            continue
        if script.text.strip() or "src" not in script.attributes:
            flaws.append("an inline script")
        if script.attributes.get("nonce") != nonce_of(page):
            flaws.append("a script without the nonce")
    return flaws


def _elements(markup: Markup) -> list[str]:
    """Nothing that runs or styles by itself, and no address that runs or leads anywhere but to https."""
    flaws = [f"<{element.tag}>" for element in markup.elements if element.tag in FORBIDDEN]
    # A picture is a file of ours or of an allowed host, says what it is, and keeps its place while it comes.
    flaws += [f"<img src={img.attributes.get('src')!r}>" for img in markup.all("img") if not _is_placed(img.attributes)]
    for element in markup.elements:
        for name, value in element.attributes.items():
            if name.startswith("on") or name in {"style", "srcdoc", "http-equiv", "ping"}:
                flaws.append(f"<{element.tag} {name}>")
            if name in URLS and not _is_harmless(value):
                flaws.append(f"<{element.tag} {name}={value[:60]!r}>")
    return flaws


def _is_placed(attributes: dict[str, str]) -> bool:
    source = attributes.get("src", "")
    return source.startswith(("/", "https://")) and {"alt", "width", "height"} <= attributes.keys()


def _is_harmless(url: str) -> bool:
    """One of our own paths, https or mailto; and http on this machine only, where development lives."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"}
    own = not parts.scheme and not parts.netloc and "\\" not in url
    return own or local or parts.scheme in {"https", "mailto"}


def _labels(markup: Markup) -> list[str]:
    labelled = {label.attributes.get("for") for label in markup.all("label")}
    flaws = []
    for element in markup.all("input", "select", "textarea"):
        attributes = element.attributes
        named = attributes.get("id") in labelled or "aria-label" in attributes or "aria-labelledby" in attributes
        if attributes.get("type") != "hidden" and not named:
            flaws.append(f"<{element.tag} name={attributes.get('name')}> has no label")
    unnamed = [nav for nav in markup.all("nav", "progress") if not nav.attributes.get("aria-label")]
    return flaws + [f"<{element.tag}> has no name" for element in unnamed]


def _references(markup: Markup) -> list[str]:
    ids = [element.attributes["id"] for element in markup.elements if "id" in element.attributes]
    flaws = [f"id {name!r} is used twice" for name in set(ids) if ids.count(name) > 1]
    for element in markup.elements:
        wanted = [name for key in REFERENCES for name in element.attributes.get(key, "").split()]
        wanted += [element.attributes["href"][1:]] if element.attributes.get("href", "").startswith("#") else []
        flaws += [f"<{element.tag}> refers to #{name}, which is not there" for name in wanted if name not in ids]
    return flaws


def _dead_end(page: Page) -> list[str]:
    """The main part leads somewhere else: by a link, or by a form. Documentation leads within itself."""
    main = page.reply.text.partition("<main")[2].partition("</main>")[0]
    inside = Reader()
    inside.feed(f"<main{main}</main>")
    links = [link for link in inside.links if link and not link.startswith("#") and urlsplit(link).path != page.path]
    is_documentation = 'class="docs"' in main
    return [] if links or inside.forms or is_documentation else ["a dead end: nothing in its main part leads on"]


def _forms(page: Page, markup: Markup, *, signed_in: bool) -> list[str]:
    """Forms post to paths of ours and carry a token; for somebody signed in it is never empty. A search asks a path of
    ours, and its address carries none."""
    flaws = [f"<{button.tag}> without a type" for button in markup.all("button") if "type" not in button.attributes]
    searches = [form for form in page.read.forms if form.method.lower() == "get"]
    flaws += [f"a search with {form.fields}" for form in searches if set(form.fields) != {"q"}]
    flaws += [f"a search of {form.action!r}" for form in searches if not re.match(r"/(?!/)", form.action)]
    for form in (form for form in page.read.forms if form not in searches):
        if form.method.lower() != "post" or not re.match(r"/(?!/)", form.action):
            flaws.append(f"a form by {form.method} to {form.action!r}")
        if "csrf" not in form.fields or (signed_in and not form.fields["csrf"]):
            flaws.append(f"the form for {form.action} has no token")
    return flaws
