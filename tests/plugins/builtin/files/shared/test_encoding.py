"""Encodings of texts, from real sentences in the encodings that old programs write."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.plugins.builtin.files.shared.encoding import HEAD, detect, is_text, open_text

SENTENCES = {
    "ru": "Добрый день! Высылаю отчёт о продажах за май, посмотрите, пожалуйста, раздел про возвраты.",
    "zh": "各位同事，下周一上午十点开会，请大家准时参加，并带上本月的销售报告。",
    "tw": "各位同事，下週一上午十點開會，請大家準時參加，並帶上本月的銷售報告。",
    "ja": "来週の月曜日の午前十時に会議を開きますので、今月の売上報告書をご持参ください。",
    "ko": "다음 주 월요일 오전 열 시에 회의가 있으니 이번 달 매출 보고서를 가져오세요.",
    "pl": "Dzień dobry, przesyłam zestawienie sprzedaży za maj. Proszę sprawdzić, czy źródła są właściwe.",
    "cs": "Dobrý den, posílám přehled prodejů za květen. Prosím zkontrolujte, zda jsou čísla správná.",
    "fr": "Bonjour, voici le relevé des ventes de mai. Vérifiez s'il vous plaît les chiffres dès que possible.",
    "de": "Guten Tag, anbei die Umsätze für Mai. Bitte prüfen Sie, ob die Zahlen größtenteils übereinstimmen.",
    "el": "Καλημέρα, σας στέλνω την αναφορά πωλήσεων του Μαΐου. Παρακαλώ ελέγξτε τα στοιχεία.",
    "tr": "Günaydın, mayıs ayının satış raporunu gönderiyorum. Lütfen sayıların doğru olup olmadığını kontrol edin.",
    "he": "בוקר טוב, מצורף דוח המכירות של מאי. נא לבדוק את המספרים לפני הישיבה.",
    "ar": "صباح الخير، أرسل إليكم تقرير المبيعات لشهر مايو. يرجى مراجعة الأرقام قبل الاجتماع.",
    "uk": "Добрий день! Надсилаю звіт про продажі за травень, перевірте, будь ласка, їхні джерела.",
}
SAMPLES = [
    ("ru", "cp1251"),
    ("ru", "koi8-r"),
    ("ru", "cp866"),
    ("zh", "gb18030"),
    ("tw", "big5"),
    ("ja", "shift_jis"),
    ("ja", "euc-jp"),
    ("ko", "euc-kr"),
    ("pl", "iso8859-2"),
    ("cs", "cp1250"),
    ("fr", "cp1252"),
    ("el", "cp1253"),
    ("tr", "cp1254"),
    ("he", "cp1255"),
    ("ar", "cp1256"),
    ("ru", "utf-16"),
    ("pl", "cp1250"),
    ("cs", "iso8859-2"),
    ("de", "latin-1"),
    ("uk", "cp1251"),
    ("uk", "koi8-u"),
    ("ru", "iso8859-5"),
    ("ru", "mac_cyrillic"),
    ("ja", "iso2022_jp"),
    ("zh", "gbk"),
    ("ko", "cp949"),
    ("el", "iso8859-7"),
]
SHORT = [
    ("Привет, как дела?", ["cp1251", "koi8-r", "cp866", "iso8859-5", "mac_cyrillic"]),
    ("ПРИКАЗ ОБ ОТПУСКЕ", ["cp1251", "cp866"]),
    ("имя;город\nИван;Москва\n", ["cp1251", "koi8-r", "cp866"]),
    ("name;town\nJürgen;Köln\n", ["cp1252", "cp850"]),
    ("Straße", ["latin-1"]),
    ("café", ["cp1252"]),
    ("Señor, mañana a las ocho está la reunión.", ["cp1252"]),
    ("Você não está convidado à reunião.", ["cp1252"]),
    ("It’s “quoted” – and costs 5 €…", ["cp1252"]),
    ("Årsrapporten är färdig, se bifogad fil på servern.", ["cp1252"]),
    ("A jövő heti értekezlet időpontja tíz óra, kérem hozzák a jelentést.", ["cp1250"]),
    ("Sanāksme nākamnedēļ, lūdzu, paņemiet līdzi pārskatu.", ["cp1257"]),
    ("ประชุมวันจันทร์หน้าเวลาสิบโมงเช้า โปรดนำรายงานมาด้วย", ["cp874"]),
    ("会議", ["cp932", "euc-jp"]),
    ("カタカナデス", ["cp932"]),
    ("你好，世界", ["gbk"]),
    ("안녕하세요 여러분", ["cp949"]),
    ("Καλημέρα κόσμε", ["cp1253"]),
    ("שלום עולם", ["cp1255"]),
    ("مرحبا بالعالم", ["cp1256"]),
]


def read(content: bytes) -> tuple[str, str]:
    with open_text(io.BytesIO(content)) as (reader, guessed):
        return reader.read(), guessed


@pytest.mark.parametrize("lines", [1, 20])
@pytest.mark.parametrize(("language", "encoding"), SAMPLES)
def test_a_sentence_is_read_in_its_encoding(language: str, encoding: str, lines: int) -> None:
    text = (SENTENCES[language] + "\n") * lines

    assert read(text.encode(encoding))[0].removeprefix("\ufeff") == text


@pytest.mark.parametrize(("text", "encoding"), [(text, name) for text, names in SHORT for name in names])
def test_a_few_words_are_read_in_their_encoding(text: str, encoding: str) -> None:
    assert read(text.encode(encoding))[0] == text


@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-32", False), ("cp1251", True)],
)
def test_a_guess_is_named(encoding: str, *, guessed: bool) -> None:
    text, name = read(SENTENCES["ru"].encode(encoding))

    assert text == SENTENCES["ru"]
    assert name == (encoding if guessed else "")


def test_ascii_before_other_letters_is_no_proof_of_utf_8() -> None:
    text = "plain\n" * 100_000 + SENTENCES["ru"]

    assert read(text.encode("cp1251")) == (text, "cp1251")
    assert read(text.encode()) == (text, "")


def test_a_broken_byte_makes_no_other_encoding_of_utf_8() -> None:
    content = SENTENCES["ru"].encode()

    text, guessed = read(content[:40] + b"\xff" + content[40:] + content[:1])

    assert text.replace("\ufffd", "") == SENTENCES["ru"]
    assert guessed == "utf-8"


def test_a_character_on_the_border_of_two_reads_is_whole() -> None:
    for padding in range(3):
        text = "a" * padding + "я" * 700_000
        assert read(text.encode()) == (text, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"a\0b",
        b"hello\0world",
        b"hello\0worlds",
        bytes(range(256)),
        b"\x01\x02\x03",
        b"\x89PNG\r\n\x1a\n\0\0",
    ],
)
def test_other_content_is_no_text(content: bytes) -> None:
    assert not is_text(content)


@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_any_content_can_be_asked_about(content: bytes) -> None:
    is_text(content)
    detect(io.BytesIO(content))
    read(content)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_text_is_text(text: str) -> None:
    assert is_text(text.encode()[:HEAD])
    assert read(text.encode())[1] == ""


def test_a_guess_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    assert read("Привет".encode("cp1251"))[0] == "Привет"
    # Letters of no language that is known.
    monkeypatch.setattr(f"{detect.__module__.rpartition('.')[0]}.guess._SCRIPTS", ())
    assert read("Café".encode("cp1252")) == ("Café", "cp1252")
