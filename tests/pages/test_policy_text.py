"""The merchant's policy sentence: shown as it is meant, and unable to do anything else."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

from support.page_rules import flaws_of
from support.services import Service, Vendors
from support.shopper import Shopper

ALLOWED = frozenset({"p", "br", "strong", "em", "ul", "ol", "li", "a"})
HOSTILE = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<img src=x onerror=alert(1)>", "<image src=x onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>", "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>", "<base href='https://evil.test/'>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>", "<link rel=stylesheet href=//evil.test/x.css>",
    "<style>*{display:none}</style>", "<p style='position:fixed;inset:0'>x</p>",
    "<form action='https://evil.test'><input name=csrf><button>ok</button></form>",
    "<button formaction='//evil.test'>x</button>", "<input autofocus onfocus=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>", "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='//evil.test'></object>", "<embed src='//evil.test'>", "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>", "<a href='java&#9;script:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>", "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "<a href='vbscript:x'>x</a>",
    "<a href='//evil.test'>x</a>", "<a href='/logout'>x</a>", "<a href='\\\\evil.test'>x</a>",
    "<a href='/\\evil.test'>x</a>", "<a href='https:evil'>x</a>", "<a href='https:///evil'>x</a>",
    "<a href='http://evil.test'>x</a>", "<a href='logout'>x</a>", "<a href='#main'>x</a>", "<a href='?x'>x</a>",
    "<a href='ftp://evil.test'>x</a>",
    "<a href='https://ok.example' onclick='alert(1)' target=_blank style=x id=main class=skip name=csrf>x</a>",
    "<p id=announcements class=button data-copy=x>x</p>", "<h1>x</h1>", "<main>x</main>", "<title>x</title>",
    "<textarea>x", "<select><option>x", "<!-- <script>alert(1)</script> -->", "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>", "</div></form></main><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>", "<video src=x onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details>", "<marquee onstart=alert(1)>x</marquee>", "<p>{{7*7}}{% raw %}</p>",
    "<x-y onclick=alert(1)>x</x-y>", "<plaintext>", "<xmp><script>alert(1)</script></xmp>", "<table><td>x</table>",
)  # fmt: skip


class Sentence(HTMLParser):
    """The tags and attributes of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(f"{tag} {name}", value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def refreshed(service: Service, vendors: Vendors, html: str) -> None:
    """The merchant changes the sentence, and time passes until every remembered copy is too old."""
    vendors.control("policies", html=html)
    service.clock.advance(4000)


def test_I2_whatever_the_sentence_holds_only_harmless_tags_and_links_are_left(
    service: Service, vendors: Vendors, penny: Shopper
) -> None:
    assert len(HOSTILE) > 40
    for vector in HOSTILE:
        refreshed(service, vendors, f"<p>Before</p>{vector}")
        policies = penny.api("GET", "/legal-policies").json()
        sentence = Sentence()
        sentence.feed(policies["sentenceHtml"])
        sentence.close()
        assert "Before" in policies["sentenceHtml"]
        assert sentence.tags <= ALLOWED, vector
        assert sentence.comments == []
        for name, value in sentence.attributes:
            assert name in {"a href", "a rel"}, vector
            if name == "a href":
                link = urlsplit(value)
                assert (link.scheme == "https" and link.hostname) or link.scheme == "mailto", vector


def test_I2_the_join_page_shows_the_same_sentence_and_keeps_the_laws(
    service: Service, vendors: Vendors, penny: Shopper
) -> None:
    for vector in HOSTILE:
        refreshed(service, vendors, f"<p>Before</p>{vector}")
        page = penny.get("/join")
        assert page.status == 200
        assert penny.api("GET", "/legal-policies").json()["sentenceHtml"] in page.reply.text, vector
        assert flaws_of(page, signed_in=True) == [], vector
        assert [form.action for form in page.read.forms if form.action != "/logout"] == ["/join"]


def test_I2_what_is_harmless_stays(service: Service, vendors: Vendors, penny: Shopper) -> None:
    words = (
        "<p>You <strong>agree</strong> to the <em>terms</em>:<br></p><ul><li>one</li></ul><ol><li>two</li></ol>"
        '<a href="https://shop.example.com/terms?a=1&amp;b=2">terms</a> <a href="mailto:help@example.com">help</a>'
    )
    refreshed(service, vendors, words)
    shown = penny.api("GET", "/legal-policies").json()["sentenceHtml"]
    assert shown.replace(' rel="noopener noreferrer"', "") == words
    assert shown.count('rel="noopener noreferrer"') == 2


def test_I2_the_digest_is_over_the_words_before_they_are_sanitised(
    service: Service, vendors: Vendors, penny: Shopper
) -> None:
    seen = {}
    for html in ("<p>Words</p>", "<p>Words</p><script>one</script>", "<p onclick='x'>Words</p>"):
        refreshed(service, vendors, html)
        policies = penny.api("GET", "/legal-policies").json()
        assert policies["sentenceHtml"] == "<p>Words</p>"
        seen[policies["digest"]] = html
    assert len(seen) == 3
