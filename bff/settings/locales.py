"""Languages as shops write them, in one form (BCP 47, RFC 5646 §2.1), and the codes that there are."""

import re
from typing import NamedTuple

# A language, perhaps its script, perhaps a region: `en`, `EN`, `pt_BR`, `zh-Hans`, `zh-Hant-HK`, `es-419`, `fil`.
FORM = re.compile(
    r"(?P<language>[a-z]{2,3})([-_](?P<script>[a-z]{4}))?([-_](?P<region>[a-z]{2}|\d{3}))?", re.ASCII | re.IGNORECASE
)
# A tag can be well-formed and name nothing: whoever makes some up would have the vendor asked in each, and cached.
# ISO 639-1 in full, and of the longer codes those that shops are written in.
ISO_639 = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ceb ch ckb co cr cs cu cv cy da de dsb dv
    dz ee el en eo es et eu fa ff fi fil fj fo fr fur fy ga gd gl gn gsw gu gv ha haw he hi ho hr hsb ht hu hy hz ia
    id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kok kr ks ku kv kw ky la lb lg li ln lo lt lu lv mai
    mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw
    sa sah sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz
    ve vi vo wa wo xh yi yo yue za zh zu
"""
# ISO 3166-1 alpha-2, and the three that Shopify has besides: Ascension, Tristan da Cunha and Kosovo.
ISO_3166 = """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by
    bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm
    fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it
    je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn
    mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt
    pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz ta tc td tf tg th tj tk
    tl tm tn to tr tt tv tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws xk ye yt za zm zw
"""
# ISO 4217, without funds, metals and test codes.
ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KID KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
LANGUAGES, COUNTRIES, CURRENCIES = (frozenset(codes.split()) for codes in (ISO_639, ISO_3166, ISO_4217))


class LanguageTag(NamedTuple):
    """`language` in small letters (ISO 639), `country` in small letters (ISO 3166-1) where the region is one."""

    language: str
    country: str = ""


def read_language_tag(text: str) -> LanguageTag | None:
    """What a language tag says of language and country; None for what is none, or names no language or country that
    there is. A script and a region of several countries, such as 419 for Latin America, are understood and say nothing
    that Okendo could be asked for."""
    found = FORM.fullmatch(text)
    if found is None or found["language"].lower() not in LANGUAGES:
        return None
    region = (found["region"] or "").lower()
    country = region if region.isalpha() else ""
    return LanguageTag(found["language"].lower(), country) if not country or country in COUNTRIES else None
