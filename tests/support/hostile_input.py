"""Tables of hostile input: bodies, addresses of friends, ways back, hosts and the segments of a path."""

from support.every_route import REWARD

BODY = '{"email": "friend@example.com"}'
BAD_JSON: tuple[bytes, ...] = (
    b"", b" ", b"nonsense", b"{", b"}", b"[", b'{"email"', b'{"email": }', b'{"email": "a"', b"{'email': 'a@b.co'}",
    b'{"email": "friend@example.com"} x', b'{"email": "friend@example.com"}{}', b'{"email": "friend@example.com",}',
    b'{"email": NaN}', b'{"email": Infinity}', b'{"email": -Infinity}', b'{"email": nan}', b'{"email": undefined}',
    b'{"email": "a@b.co", "email": "c@d.co"}', b'{"email": "a@b.co", "\\u0065mail": "c@d.co"}',
    b'{"email": "\xff\xfe"}', b'{"email": "\xc0\xaf"}', b'{"email": "\xed\xa0\x80"}', b'{"email": "\\ud800"}',
    b'{"email": "\\udfff\\ud800"}', b'{"\\ud800": 1}', b'{"email": "a\x00b"}', b'{"email": "a\nb"}',
    b'{"email": "\\x41"}', b'{"email": 9007199254740993}', b'{"email": -9007199254740993}',
    b'{"email": ' + b"9" * 400 + b"}", b'{"email": ' + b"9" * 5000 + b"}", b'{"email": 1e400}', b'{"email": -1e400}',
    b'{"email": 01}', b'{"email": +1}', b'{"email": .5}', b'{"email": 0x10}', b"[" * 17 + b"]" * 17,
    b"[" * 8000 + b"]" * 8000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"\xef\xbb\xbf" + BODY.encode(),
    BODY.encode("utf-16"), BODY.encode("utf-16-le"), BODY.encode("utf-32"), b"/* */ " + BODY.encode(), b"null",
    b"true", b"1", b'"friend@example.com"', b"[]", b'["friend@example.com"]', b"{}", b'{"email": null}',
    b'{"email": 1}', b'{"email": true}', b'{"email": ["friend@example.com"]}',
    b'{"email": {"a": "friend@example.com"}}', b'{"Email": "friend@example.com"}',
    b'{"email": "friend@example.com", "points": 1}', b'{"email": "friend@example.com", "__proto__": {}}',
    b'{"email": "friend@example.com", "": ""}',
)  # fmt: skip

BAD_EMAILS = (
    "", " ", "friend", "@", "@example.com", "friend@", "friend@@example.com", "friend@example@com", "a@b@example.com",
    "friend@example", "friend@localhost", "friend@.com", "friend@example..com", "friend@.example.com",
    "friend@example.com.", "friend@-example.com", "friend@example-.com", "friend@exam_ple.com", "friend@exam ple.com",
    ".friend@example.com", "friend.@example.com", "fri..end@example.com", "fri end@example.com",
    "friend @example.com", "friend@ example.com", "friend@example.com\n", "\nfriend@example.com",
    "friend@example.com\r\nBcc: all@example.com", "friend@example.com\nBcc: all@example.com",
    "friend\r\n@example.com", "friend%0d%0a@exam%0dple.com", "friend@example.com\0", "friend\0@example.com",
    "friend\t@example.com", "\tfriend@example.com", "friend\x7f@example.com", "friend\x85@example.com",
    "friend\x1b@example.com", "friend@example.com,other@example.com", "friend@example.com;other@example.com",
    "friend@example.com other@example.com", "friend,@example.com", "friend;@example.com",
    "Friend <friend@example.com>", "<friend@example.com>", "friend@example.com>", '"friend"@example.com',
    '"fri end"@example.com', '"a@b"@example.com', "friend(comment)@example.com", "(comment)friend@example.com",
    "friend@example.com (x)", "mailto:friend@example.com", "friend@[127.0.0.1]", "friend@127.0.0.1",
    "friend@[IPv6:::1]", "friend@example.com:25", "friend@example.com/x", "friend@example.com?cc=all@example.com",
    "friend@example.com#x", "friend\\@example.com", "friend[at]example.com", "friend\uff20example.com",
    "friend@example\uff0ecom\uff20x.com", "friend\u200b@example.com", "friend\u200d@example.com",
    "friend\ufeff@example.com", "\u202efriend@example.com", "friend\u202e@example.com", "friend@exam\u202eple.com",
    "friend@\u202eexample.com", "friend\u2066@example.com", "friend@exam\u200bple.com", "friend\u00ad@example.com",
    "friend\u00a0@example.com", "friend\u2028@example.com", "friend\u2029@example.com", "friend\ue000@example.com",
    "friend\ufffe@example.com", "a" * 65 + "@example.com", "friend@" + "a" * 64 + ".com",
    "friend@" + "a." * 125 + "com", "a" * 250 + "@b.co", "friend@example.com" * 500,
    "<script>alert(1)</script>@example.com", "friend@<b>example.com", "friend@exa%6dple.com", "friend@xn--a.com",
    "friend@\U0001f600\ud7a4.invalid", "friend@example.invalid", "friend@example.test",
)  # fmt: skip
# What was typed, and what reaches the vendor.
GOOD_EMAILS = {
    "friend@example.com": "friend@example.com",
    "  friend@example.com ": "friend@example.com",
    "friend@EXAMPLE.com": "friend@example.com",
    "friend+tag@example.com": "friend+tag@example.com",
    "fr.ie-n_d@example.co.uk": "fr.ie-n_d@example.co.uk",
    "friend@b\u00fccher.example.com": "friend@xn--bcher-kva.example.com",
    "friend@bu\u0308cher.example.com": "friend@xn--bcher-kva.example.com",
    "friend@\u0435xample.com": "friend@xn--xample-2of.com",
}

TRICKY_SEGMENTS = (
    "%2e", "%2e%2e", "..%2f", "%2e%2e%2f", "%2e%2e%2fme", "..%2f..%2fmerchant", "%2f", "a%2fb", "%5c", "..%5c",
    "%5c%5cevil.test", "%252e%252e", "%252e%252e%252f", "%252f", "%00", "a%00b", "%0d%0aX:1", "%0a", "%09", "%7f",
    "%20", "a%20b", "%25", "%", "%zz", "%e2%80%ae", "%ff", "%c0%ae%c0%ae", "%ed%a0%80", "%u002e", ";", "a;b=c", "?",
    "%3f", "%23", "*", "{id}", "$id", "'%20or%201=1--", "%27%22%3c%3e", "null", "undefined", "-1", "a" * 129,
    "a" * 4000, "%f0%9f%98%80" * 50, "http:%2f%2fevil.test",
)  # fmt: skip

HOSTILE_RETURNS = (
    "", "//evil.test", "//evil.test/x", "///evil.test", "////evil.test", "/\\evil.test", "\\\\evil.test",
    "/\\/evil.test", "\\/evil.test", "/\t/evil.test", "/\n/evil.test", "/\r/evil.test", "\t//evil.test",
    " //evil.test", "/ /evil.test", "/%09/evil.test", "/%0a/evil.test", "/%0d%0aLocation:%20https://evil.test",
    "/\r\nSet-Cookie: a=b", "/%00", "/\x00", "/%2f%2fevil.test", "%2f%2fevil.test", "/%2Fevil.test", "/%5cevil.test",
    "/%5C%5Cevil.test", "/..//evil.test", "/.//evil.test", "/a//evil.test", "/../../evil.test", "/x/../..//evil.test",
    "/%2e%2e//evil.test", "http:evil.test", "https:evil.test", "https:/evil.test", "https://evil.test",
    "https:\\\\evil.test", "HTTPS://EVIL.TEST", "http://evil.test/", "https:///evil.test", "ftp://evil.test",
    "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
    "file:///etc/passwd", "mailto:x@evil.test", "evil.test", "evil.test/x", "@evil.test", "?//evil.test",
    "#//evil.test", ".evil.test", "\u2215\u2215evil.test", "\uff0f\uff0fevil.test", "/\uff0fevil.test",
    "\u3002evil.test", "\u2028//evil.test", "http://localhost:3000.evil.test/", "http://localhost:3000@evil.test/",
    "http://localhost:3000%40evil.test/", "http://localhost:300001/", "https://localhost:3000/",
    "http://LOCALHOST:3000/", "http://user@localhost:3000/", "http://localhost:3000\\@evil.test/",
    "http://localhost:3000#@evil.test\n", "/" + "a" * 2100, "/a%2fb?x=1", "/a%2F..%2Fb", "/?a=\\b", "/rewards?a=b c",
)  # fmt: skip
GOOD_RETURNS = (
    "/", "/rewards", f"/rewards/{REWARD}", "/refer?sent=1", "/join#policy", "http://localhost:3000",
    "http://localhost:3000/products/cup?variant=1", "/rewards?from=%2Fhome%2F", "/rewards?a=%0d%0a%2e%2e%5c",
    "http://localhost:3000/p?back=%2Fcart&utm_source=a%2Fb&utm_campaign=" + "x" * 1500,
)  # fmt: skip
STRANGE_HOSTS = (
    "evil.test", "localhost", "localhost:1", "localhost:{port}.evil.test", "evil.test:{port}", "localhost:{port}:80",
    "localhost:{port}@evil.test", "evil.test@localhost:{port}", "localhost:{port}/x", "localhost:{port}#",
    "localhost:{port}?", "localhost :{port}", "local host:{port}", "localhost:{port},evil.test", "",
    "a.localhost:{port}", "0.0.0.0:{port}", "localhost..:{port}", "[::1", "::1:{port}", "localhost:{port}:",
    "localhost:0{port}",
    "\xe9.test", "http://localhost:{port}",
)  # fmt: skip
