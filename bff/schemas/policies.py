"""The legal policies as they are shown, and the digest of what was shown."""

import hashlib
import html
from typing import Annotated, Self

import msgspec
import nh3

from bff.errors import UpstreamFailed
from bff.schemas.base import Schema, described
from bff.vendors.okendo import replies
from bff.vendors.sanitize import safe_link, sanitize_html


class LegalPolicies(Schema, frozen=True):
    """What a shopper agrees to by joining."""

    version: Annotated[str | int | float, described("Send it back as `policiesVersion`, unchanged")]
    button_text: Annotated[str, described("What the button has to say, exactly")]
    sentence_html: Annotated[str, described("What has to stand beside the button: HTML, sanitised")]
    digest: Annotated[str, described("Send it back as `policiesDigest`, unchanged")]
    privacy_policy_url: Annotated[str | None, described("Address of the privacy policy")] = None
    terms_and_conditions_url: Annotated[str | None, described("Address of the terms")] = None

    @classmethod
    def from_okendo(cls, policies: replies.LegalPolicies) -> Self:
        """The digest covers version, button, sentence and links as the vendor sent them, before they are sanitised, so
        that any change of any of them is a change. Raises UpstreamFailed when there is nothing to show."""
        sentence = sanitize_html(policies.sentence_html or _from_template(policies))
        visible = html.unescape(nh3.clean(sentence, tags=set()))
        if not visible.strip() or not policies.button_text.strip():
            raise UpstreamFailed("Okendo's legal policies have no text.", sent=True)
        sent = msgspec.json.encode(policies, order="deterministic")
        return cls(
            version=policies.version,
            button_text=policies.button_text,
            sentence_html=sentence,
            digest=hashlib.sha256(sent).hexdigest(),
            privacy_policy_url=safe_link(policies.privacy_policy_url),
            terms_and_conditions_url=safe_link(policies.terms_and_conditions_url),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            version="2025-03-01",
            button_text="Accept terms & join",
            sentence_html='By joining, you agree to the <a href="https://shop.example.com/terms">program terms</a>.',
            digest="b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184",
            privacy_policy_url="https://shop.example.com/privacy",
            terms_and_conditions_url="https://shop.example.com/terms",
        )


def _from_template(policies: replies.LegalPolicies) -> str:
    """The template's placeholder syntax is not public: {{name}}, {name} and ${name} are filled."""
    sentence = html.escape(policies.sentence_template or "")
    links = {
        "privacyPolicyUrl": (policies.privacy_policy_url, "Privacy policy"),
        "termsAndConditionsUrl": (policies.terms_and_conditions_url, "Terms and conditions"),
    }
    for name, (url, label) in links.items():
        anchor = f'<a href="{html.escape(url or "")}">{label}</a>'
        for placeholder in (f"{{{{{name}}}}}", f"${{{name}}}", f"{{{name}}}"):
            sentence = sentence.replace(placeholder, anchor)
    return sentence
