"""The legal policies as they are shown, and the digest of what was shown."""

import hashlib
import html

import msgspec
import nh3

from bff.errors import UpstreamFailed
from bff.vendors.okendo.replies import LegalPolicies
from bff.vendors.sanitize import safe_link, sanitize_html


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The legal policies as we show them. `sentence_html` is sanitised; `digest` is over the vendor's own words."""

    version: str | int | float
    button_text: str
    sentence_html: str
    privacy_policy_url: str | None
    terms_and_conditions_url: str | None
    digest: str


def present(policies: LegalPolicies) -> Policies:
    """Ready for a page. The digest covers version, button, words and links as the vendor sent them, before they are
    sanitised, so that any change of any of them is a change. Raises UpstreamFailed when there is nothing to show."""
    sentence = sanitize_html(policies.sentence_html or _from_template(policies))
    visible = html.unescape(nh3.clean(sentence, tags=set()))
    if not visible.strip() or not policies.button_text.strip():
        raise UpstreamFailed("Okendo's legal policies have no text.", sent=True)
    whole = msgspec.json.encode(policies, order="deterministic")
    return Policies(
        version=policies.version,
        button_text=policies.button_text,
        sentence_html=sentence,
        privacy_policy_url=safe_link(policies.privacy_policy_url),
        terms_and_conditions_url=safe_link(policies.terms_and_conditions_url),
        digest=hashlib.sha256(whole).hexdigest(),
    )


def _from_template(policies: LegalPolicies) -> str:
    """The template's placeholder syntax is not public: {{name}}, {name} and ${name} are filled."""
    words = html.escape(policies.sentence_template or "")
    links = {
        "privacyPolicyUrl": (policies.privacy_policy_url, "Privacy policy"),
        "termsAndConditionsUrl": (policies.terms_and_conditions_url, "Terms and conditions"),
    }
    for name, (url, label) in links.items():
        anchor = f'<a href="{html.escape(url or "")}">{label}</a>'
        for placeholder in (f"{{{{{name}}}}}", f"${{{name}}}", f"{{{name}}}"):
            words = words.replace(placeholder, anchor)
    return words
