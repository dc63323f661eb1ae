"""A merchant's own wording of our texts, which comes before every catalogue."""

import gettext
from collections import Counter
from collections.abc import Mapping

from babel import Locale

# A text, or its plural forms by CLDR's categories, such as `one` and `other`.
Wording = str | dict[str, str]
# By language (BCP 47), and then by the English text as it stands in the code; of plural forms that for one.
Copy = Mapping[str, Mapping[str, Wording]]
FORMS = ("zero", "one", "two", "few", "many", "other")
# Every form that whole numbers take in some language; none of them once but one that is for a single number.
NUMBERS = (*range(200), 1000, 2000, 10**6, 2 * 10**6)


class Reworded(gettext.NullTranslations):
    """Some texts in one language; all others are its fallback's."""

    def __init__(self, tag: str, wordings: Mapping[str, Wording]) -> None:
        super().__init__()
        self._texts = {text: wording for text, wording in wordings.items() if isinstance(wording, str)}
        self._counted = {text: wording for text, wording in wordings.items() if isinstance(wording, dict)}
        self._form_of = _locale(tag).plural_form

    def gettext(self, message: str) -> str:
        return self._texts.get(message) or super().gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        forms = self._counted.get(msgid1)
        return forms[self._form_of(n)] if forms else super().ngettext(msgid1, msgid2, n)


def plural_forms(tag: str) -> Mapping[str, int]:
    """The categories of a language, each with a number that is of it."""
    found = {_locale(tag).plural_form(number): number for number in NUMBERS}
    return {form: found[form] for form in FORMS if form in found}


def is_of_one_number(tag: str, form: str) -> bool:
    return Counter(map(_locale(tag).plural_form, NUMBERS))[form] == 1


def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")
