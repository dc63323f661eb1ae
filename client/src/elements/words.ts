// Every word of the elements, in five languages. The vendor's own words come from the service.

const KEYS = [
  "signIn", "retry", "failed", "joinFirst", "points", "redeem", "confirm", "yes", "cancel", "checking", "unknown", "notTaken",
  "credit", "code", "missing", "tier", "unavailable", "copy", "copied", "use", "addToCart", "inCart", "notInCart", "minimum",
  "until", "none", "toTier", "changed", "member", "joinThere", "email", "invite", "invited", "link",
] as const;
export type Words = Record<(typeof KEYS)[number], string>;

// In the order of the keys. `points` has a form for each plural of the language, in the order of PLURALS.
const PLURALS = ["one", "two", "few", "other"];
const LANGUAGES: Record<string, string> = {
  en: "Sign in|Try again|This did not work. Please try again.|Join the program first.|point,points,points,points|Redeem|Spend {points}?|Yes, redeem|Cancel|This is being checked. Do not redeem again.|This is still being checked. Quote {reference} if you ask about it.|This did not work. Your points were not taken.|It was added to your account.|Your code|{points} to go|For {tier}|Not available right now|Copy|Copied|Use it now|Add to cart|It is in your cart.|It could not be put into your cart. The code is still good.|Spend {money} more to use it.|Until {date}|No codes yet|{money} to {tier}|The terms have changed. Please read them again.|You are a member.|Join on our loyalty pages|Your friend’s e-mail address|Send invitation|If your friend can be invited, an e-mail is on its way.|Your link for friends",
  fr: "Se connecter|Réessayer|Cela n’a pas fonctionné. Veuillez réessayer.|Rejoignez d’abord le programme.|point,points,points,points|Échanger|Dépenser {points} ?|Oui, échanger|Annuler|Vérification en cours. N’échangez pas de nouveau.|Vérification toujours en cours. Indiquez {reference} si vous posez une question.|Cela n’a pas fonctionné. Vos points n’ont pas été débités.|La récompense a été ajoutée à votre compte.|Votre code|Plus que {points}|Pour {tier}|Indisponible pour le moment|Copier|Copié|Utiliser maintenant|Ajouter au panier|Il est dans votre panier.|Impossible de l’ajouter à votre panier. Le code reste valable.|Dépensez encore {money} pour l’utiliser.|Jusqu’au {date}|Pas encore de code|{money} avant {tier}|Les conditions ont changé. Veuillez les relire.|Vous êtes membre.|Rejoindre sur nos pages de fidélité|L’adresse e-mail de votre proche|Envoyer l’invitation|Si votre proche peut être invité, un e-mail est en route.|Votre lien pour vos proches",
  de: "Anmelden|Noch einmal versuchen|Das hat nicht geklappt. Bitte versuche es noch einmal.|Tritt zuerst dem Programm bei.|Punkt,Punkte,Punkte,Punkte|Einlösen|{points} ausgeben?|Ja, einlösen|Abbrechen|Das wird geprüft. Löse nicht noch einmal ein.|Das wird noch geprüft. Nenne {reference}, wenn du danach fragst.|Das hat nicht geklappt. Deine Punkte wurden nicht abgezogen.|Es wurde deinem Konto gutgeschrieben.|Dein Code|Noch {points}|Für {tier}|Gerade nicht verfügbar|Kopieren|Kopiert|Jetzt nutzen|In den Warenkorb|Er ist in deinem Warenkorb.|Er konnte nicht in den Warenkorb gelegt werden. Der Code bleibt gültig.|Gib noch {money} aus, um ihn zu nutzen.|Bis {date}|Noch keine Codes|{money} bis {tier}|Die Bedingungen haben sich geändert. Bitte lies sie noch einmal.|Du bist Mitglied.|Auf unseren Treueseiten beitreten|E-Mail-Adresse der eingeladenen Person|Einladung senden|Wenn die Person eingeladen werden kann, ist eine E-Mail unterwegs.|Dein Link für Freunde",
  es: "Iniciar sesión|Intentar de nuevo|No ha funcionado. Inténtalo de nuevo.|Únete primero al programa.|punto,puntos,puntos,puntos|Canjear|¿Gastar {points}?|Sí, canjear|Cancelar|Se está comprobando. No canjees otra vez.|Todavía se está comprobando. Indica {reference} si preguntas por ello.|No ha funcionado. No se han descontado tus puntos.|Se ha añadido a tu cuenta.|Tu código|Necesitas {points} más|Para {tier}|No disponible ahora|Copiar|Copiado|Usar ahora|Añadir al carrito|Está en tu carrito.|No se ha podido añadir al carrito. El código sigue siendo válido.|Gasta {money} más para usarlo.|Hasta el {date}|Aún no hay códigos|{money} para {tier}|Las condiciones han cambiado. Léelas de nuevo.|Eres miembro.|Unirse en nuestras páginas de fidelidad|Correo electrónico de tu amigo|Enviar invitación|Si se puede invitar a tu amigo, ya va un correo en camino.|Tu enlace para amigos",
  ar: "تسجيل الدخول|المحاولة مجددًا|لم ينجح ذلك. يُرجى المحاولة مجددًا.|انضم إلى البرنامج أولًا.|نقطة,نقطة,نقاط,نقطة|استبدال|إنفاق {points}؟|نعم، استبدل|إلغاء|يجري التحقق من ذلك. لا تستبدل مرة أخرى.|لا يزال التحقق جاريًا. اذكر {reference} إذا سألت عنه.|لم ينجح ذلك. لم تُخصم نقاطك.|أُضيف إلى حسابك.|رمزك|يتبقى {points}|لمستوى {tier}|غير متاحة حاليًا|نسخ|تم النسخ|استخدمه الآن|أضف إلى السلة|إنه في سلتك.|تعذرت إضافته إلى سلتك. لا يزال الرمز صالحًا.|أنفق {money} أخرى لاستخدامه.|حتى {date}|لا توجد رموز بعد|{money} للوصول إلى {tier}|تغيرت الشروط. يُرجى قراءتها مجددًا.|أنت عضو.|انضم عبر صفحات الولاء لدينا|البريد الإلكتروني لصديقك|إرسال الدعوة|إذا كان من الممكن دعوة صديقك، فهناك رسالة بريد إلكتروني في الطريق إليه.|رابطك للأصدقاء",
};

/** Says things in one language: its own where there are words of it, or else in English. */
export class Speech {
  private readonly words: Words;
  private readonly language: string;

  constructor(language: string, own: Partial<Words>) {
    const [primary] = language.split("-") as [string];
    this.language = LANGUAGES[primary] ? language : "en";
    const texts = (LANGUAGES[primary] ?? LANGUAGES.en!).split("|");
    this.words = { ...(Object.fromEntries(KEYS.map((key, index) => [key, texts[index]])) as Words), ...own };
  }

  say(key: keyof Words, values: Record<string, string> = {}): string {
    return this.words[key].replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
  }

  points(count: number): string {
    const forms = this.words.points.split(",");
    const form = forms[PLURALS.indexOf(new Intl.PluralRules(this.language).select(count))] ?? forms.at(-1);
    return `${new Intl.NumberFormat(this.language).format(count)} ${form}`;
  }

  money({ amount, currencyCode }: { amount: string; currencyCode: string }): string {
    return new Intl.NumberFormat(this.language, { style: "currency", currency: currencyCode }).format(Number(amount));
  }

  date(at: string): string {
    return new Intl.DateTimeFormat(this.language, { dateStyle: "long" }).format(new Date(at));
  }
}
