"""The merchant's words in other languages, as a merchant enters them: some languages, and not every text in each.

Whatever has no translation stays as it is, in the store's own language, English. Tiers keep their names, which are
names. Okendo documents a language for rewards alone; that the others take it under the same name is a guess.
"""

from collections.abc import Mapping, Sequence

from bff.sandbox.json import Json

DEFAULT = "en"
POLICY_SENTENCE = (
    'By joining, you agree to the <a href="https://shop.example.com/policies/terms-of-service">program terms</a> '
    'and the <a href="https://shop.example.com/policies/privacy-policy">privacy policy</a>.'
)
POLICY_TEMPLATE = "By joining, you agree to the {{termsAndConditionsUrl}} and the {{privacyPolicyUrl}}."
ORDER_OF_LANGUAGES = ("fr", "de", "ar")
# From a text to what it is in these languages; "" where the merchant has entered nothing.
TEXTS: Mapping[str, tuple[str, str, str]] = {
    "Join the program": ("Rejoindre le programme", "Dem Programm beitreten", "الانضمام إلى البرنامج"),
    "Place an order": ("Passer une commande", "Etwas bestellen", "إجراء طلب"),
    "Leave a review": ("Donner votre avis", "Eine Bewertung schreiben", "كتابة تقييم"),
    "Follow us on Instagram": ("Nous suivre sur Instagram", "Uns auf Instagram folgen", "متابعتنا على إنستغرام"),
    "Follow us on TikTok": ("Nous suivre sur TikTok", "Uns auf TikTok folgen", "متابعتنا على تيك توك"),
    "Subscribe on YouTube": ("S'abonner sur YouTube", "Auf YouTube abonnieren", "الاشتراك على يوتيوب"),
    "Celebrate your birthday": ("Fêter votre anniversaire", "Geburtstag feiern", "الاحتفال بعيد ميلادك"),
    "Refer a friend": ("Parrainer un ami", "Freunde werben", "دعوة صديق"),
    "Link a retailer account": ("Associer un compte chez un revendeur", "Ein Händlerkonto verknüpfen", ""),
    "Shop at a linked retailer": ("Acheter chez un revendeur associé", "Bei einem verknüpften Händler kaufen", ""),
    "$5 off your order": ("5 $ de réduction sur votre commande", "5 $ Rabatt auf deine Bestellung", "خصم 5 $ على طلبك"),
    "10% off your order": ("10 % de réduction sur la commande", "10 % Rabatt auf deine Bestellung", "خصم 10٪ على طلبك"),
    "Free shipping": ("Livraison gratuite", "Kostenloser Versand", "شحن مجاني"),
    "A free travel-size cleanser": ("Un nettoyant format voyage offert", "Ein Reiniger in Reisegröße gratis", ""),
    "15% off for Gold members": ("15 % de réduction pour les membres Gold", "15 % Rabatt für Gold-Mitglieder", ""),
    "$8 store credit": ("8 $ d'avoir", "8 $ Guthaben", "رصيد بقيمة 8 $"),
    "Birthday gift": ("Cadeau d'anniversaire", "Geburtstagsgeschenk", "هدية عيد ميلاد"),
    "Early access": ("Accès anticipé", "Vorabzugang", "وصول مبكر"),
    "Shop sales one day before everyone else.": (
        "Profitez des soldes un jour avant tout le monde.", "Einen Tag vor allen anderen im Sale.", "",
    ),
    "Free returns": ("Retours gratuits", "Kostenlose Rücksendung", "إرجاع مجاني"),
    "A stylist": ("Un styliste", "Stilberatung", "مستشار أزياء"),
    "Two personal sessions a year.": ("Deux séances personnelles par an.", "Zwei persönliche Termine im Jahr.", ""),
    "How do I earn points?": ("Comment gagner des points ?", "Wie sammle ich Punkte?", "كيف أكسب النقاط؟"),
    "<p>Place orders, leave reviews and <strong>follow us</strong>. See all ways to earn.</p>": (
        "<p>Commandez, donnez votre avis et <strong>suivez-nous</strong>.</p>",
        "<p>Bestelle, bewerte und <strong>folge uns</strong>.</p>",
        "<p>اطلب واكتب التقييمات و<strong>تابعنا</strong>.</p>",
    ),
    "When do points from an order arrive?": (
        "Quand arrivent les points d'une commande ?", "Wann kommen Punkte aus einer Bestellung an?", "",
    ),
    "Do points expire?": ("Les points expirent-ils ?", "Verfallen Punkte?", "هل تنتهي صلاحية النقاط؟"),
    "<p>After one year without earning, redeeming or ordering.</p>": (
        "<p>Après un an sans activité.</p>", "<p>Nach einem Jahr ohne Aktivität.</p>", "<p>بعد عام دون نشاط.</p>",
    ),
    "Accept terms & join": ("Accepter et rejoindre", "Zustimmen und beitreten", "قبول الشروط والانضمام"),
    POLICY_SENTENCE: (
        'En vous inscrivant, vous acceptez les <a href="https://shop.example.com/policies/terms-of-service">conditions '
        'du programme</a> et la <a href="https://shop.example.com/policies/privacy-policy">politique de '
        "confidentialité</a>.",
        'Mit dem Beitritt stimmst du den <a href="https://shop.example.com/policies/terms-of-service">'
        'Programmbedingungen</a> und der <a href="https://shop.example.com/policies/privacy-policy">'
        "Datenschutzerklärung</a> zu.",
        'بالانضمام، فإنك توافق على <a href="https://shop.example.com/policies/terms-of-service">شروط البرنامج</a> '
        'و<a href="https://shop.example.com/policies/privacy-policy">سياسة الخصوصية</a>.',
    ),
    POLICY_TEMPLATE: (
        "En vous inscrivant, vous acceptez {{termsAndConditionsUrl}} et {{privacyPolicyUrl}}.",
        "Mit dem Beitritt stimmst du zu: {{termsAndConditionsUrl}} und {{privacyPolicyUrl}}.",
        "بالانضمام، فإنك توافق على {{termsAndConditionsUrl}} و{{privacyPolicyUrl}}.",
    ),
}  # fmt: skip


def in_language(value: Json, language: str) -> Json:
    """A reply with every text that there is in this language in it, at any depth; the others as they are."""
    if language not in ORDER_OF_LANGUAGES:
        return value
    place = ORDER_OF_LANGUAGES.index(language)

    def worded(value: Json) -> Json:
        if isinstance(value, str):
            return (TEXTS[value][place] if value in TEXTS else "") or value
        if isinstance(value, Mapping):
            return {name: worded(inner) for name, inner in value.items()}
        return [worded(inner) for inner in value] if isinstance(value, Sequence) else value

    return worded(value)
