"""What the page behind the *Unsubscribe* button says, by language; `{clinic}` is its name."""

from typing import NamedTuple


class Words(NamedTuple):
    """One page asks, the other says what was done; `call` is beside the clinic's phone."""

    title: str
    question: str
    button: str
    done: str
    call: str


WORDS = {
    "en": Words(
        "Unsubscribe",
        "Do you want no more e-mails about your care from {clinic}?",
        "No more e-mails",
        "Done. You get no more e-mails about your care from {clinic}.",
        "Anything to ask? Call us:",
    ),
    "es": Words(
        "Darse de baja",
        "¿Quiere dejar de recibir correos de {clinic} sobre sus cuidados?",
        "No quiero más correos",
        "Hecho. Ya no recibirá correos de {clinic} sobre sus cuidados.",
        "¿Alguna pregunta? Llámenos:",
    ),
    "fr": Words(
        "Se désinscrire",
        "Voulez-vous ne plus recevoir d'e-mails de {clinic} sur vos soins ?",
        "Plus d'e-mails",
        "C'est fait. Vous ne recevrez plus d'e-mails de {clinic} sur vos soins.",
        "Une question ? Appelez-nous :",
    ),
    "pt": Words(
        "Cancelar os e-mails",
        "Quer deixar de receber e-mails de {clinic} sobre os seus cuidados?",
        "Não quero mais e-mails",
        "Feito. Não vai receber mais e-mails de {clinic} sobre os seus cuidados.",
        "Alguma pergunta? Ligue para nós:",
    ),
    "de": Words(
        "Abmelden",
        "Möchten Sie keine E-Mails von {clinic} zu Ihrer Pflege mehr bekommen?",
        "Keine E-Mails mehr",
        "Erledigt. Sie bekommen keine E-Mails von {clinic} zu Ihrer Pflege mehr.",
        "Haben Sie Fragen? Rufen Sie uns an:",
    ),
    "ar": Words(
        "إلغاء الاشتراك",
        "هل تريد التوقف عن تلقي رسائل البريد من {clinic} بشأن عنايتك؟",
        "لا أريد رسائل أخرى",
        "تم. لن تصلك رسائل بريد أخرى من {clinic} بشأن عنايتك.",
        "هل لديك سؤال؟ اتصل بنا:",
    ),
}
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def words_in(language: str) -> tuple[str, Words]:
    """In that language, as in `pt` or `pt_BR`, and which it is; English where there is none."""
    base = language.replace("_", "-").partition("-")[0].lower()
    return (base, WORDS[base]) if base in WORDS else ("en", WORDS["en"])
