"""Guess of a text's encoding from the letters that each encoding makes of it."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["guess"]

_LEAST_SCORE = 0.15
_SCORED = 8_192
"""Bytes by which encodings are compared."""
_PUNCTUATION = frozenset("«»„“”‘’–—…№€§°·•©®™×±¿¡´ª\xa0、。，．「」『』（）！？：；・ー～《》【】　￥％")
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没"
    "动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头"
    "文体政美相见被利什二等产或新己制身果加西月话合回特代内信表化老给世位次度门任常先海通教原东声提立及比员解水名真论处走各入几口认条平系气题活更别打"
    "女变四总何电数安少报才结反受目太量再感建务做接必场件计管期市直资命山金指许统区保至队形社便空决治展科司五基书非则听白界达放强即难且权思完设式色路"
    "记南品住告类求据程北边张该交规万取望觉术领共确传师观清今切院让识带导运请您收售销周午议参附"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒"
    "動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應向頭"
    "文體政美相見被利什二等產或新己制身果加西月話合回特代內信表化老給世位次度門任常先海通教原東聲提立及比員解水名真論處走各入幾口認條平系氣題活更別打"
    "女變四總何電數安少報才結反受目太量再感建務做接必場件計管期市直資命山金指許統區保至隊形社便空決治展科司五基書非則聽白界達放強即難且權思完設式色路"
    "記南品住告類求據程北邊張該交規萬取望覺術領共確傳師觀清今切院讓識帶導運請您收售銷週午議參附"
)
_KANJI = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白"
    "会社事自者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終"
    "台広住無真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋"
    "旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢報告会議参"
)


@dataclass(frozen=True, slots=True)
class _Script:
    """Letters of a language, and the encodings in which it is written."""

    encodings: tuple[str, ...]
    common: frozenset[str]
    rare: frozenset[str] = frozenset()
    latin: bool = False

    def score(self, text: str) -> float:
        """Return how likely it is that a text is of this language, from -1 to 1."""
        counts = Counter(text)
        total = gained = 0.0
        for character, count in counts.items():
            if character <= "\x7f":
                continue
            total += count
            gained += count * self._worth(character)
        return (gained - self._unlikely_pairs(text)) / total if total else 0.0

    def _unlikely_pairs(self, text: str) -> float:
        """Return a penalty for neighbours that are rare in words: capitals inside, letters of two scripts."""
        penalty = 0.0
        for before, after in pairwise(text):
            if (before <= "\x7f" and after <= "\x7f") or not (before.isalpha() and after.isalpha()):
                continue
            mixed = before <= "\x7f" or after <= "\x7f"
            if before.islower() and after.isupper():
                penalty += 1.0
            elif mixed != self.latin:
                # Accents are rare in languages that are written with Latin letters, so two together are unlikely.
                penalty += 0.5 if self.latin else 1.0
        return penalty

    def _worth(self, character: str) -> float:
        lower = character.lower()
        if lower in self.common:
            return 1.0 if lower == character else 0.95
        if lower in self.rare:
            return 0.5 if lower == character else 0.45
        return 0.2 if character in _PUNCTUATION else -1.0


def _letters(first: str, last: str) -> frozenset[str]:
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))


_WESTERN = ("cp1252", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859_2", "cp852")
_CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic", "koi8_u")
_KANA = _letters("ぁ", "ん") | _letters("ァ", "ヺ")
_IDEOGRAPHS = _letters("一", "龥")
_SCRIPTS = (
    _Script(_CYRILLIC, frozenset("оеаинтсрвлкмдпу"), frozenset("яыьгзбчйхжшюцщэфъё")),
    _Script(_CYRILLIC, frozenset("оаинвтерсікл"), frozenset("удмпяьзбгйчшхцжїюєфщґ")),
    _Script(_WESTERN, frozenset("éèàêçùâîôûëïœ"), latin=True),
    _Script(_WESTERN, frozenset("äöüß"), latin=True),
    _Script(_WESTERN, frozenset("áéíóúñü"), latin=True),
    _Script(_WESTERN, frozenset("ãõáéíóúâêôçà"), latin=True),
    _Script(_WESTERN, frozenset("åäöæøé"), latin=True),
    _Script(_CENTRAL, frozenset("ąćęłńóśźż"), latin=True),
    _Script(_CENTRAL, frozenset("áčďéěíňóřšťúůýž"), frozenset("ľĺôä"), latin=True),
    _Script(_CENTRAL, frozenset("áéíóöőúüű"), latin=True),
    _Script(_CENTRAL, frozenset("ăâîşţ"), latin=True),
    _Script(_CENTRAL, frozenset("čćđšž"), latin=True),
    _Script(("cp1254",), frozenset("çğıöşüiâ̇"), latin=True),
    _Script(("cp1257",), frozenset("āčēģīķļņšūžąęėįųõäöü"), latin=True),
    _Script(
        ("cp1253", "iso8859_7", "cp737"),
        frozenset("αεηιορστυνκπλμ"),
        frozenset("ςάέήίόύώβγδζθξφχψωϊϋΐΰ"),
    ),
    _Script(("cp1255", "iso8859_8", "cp862"), frozenset("יוהלאמרתבשנםדחע"), _letters("א", "ת")),
    _Script(("cp1256", "iso8859_6"), frozenset("ابتدرسعفقكلمنهوية"), _letters("ء", "ي") | frozenset("پچژگ،؟؛")),
    _Script(("cp874",), frozenset("านรอกเงมยลวดทสตะปบคหแ่้ีั็ิ"), frozenset("จพชขใไโผซถศณธภญฉฟุูืึ์ำๆ")),
    _Script(("gb18030",), frozenset(_SIMPLIFIED), _IDEOGRAPHS),
    _Script(("big5hkscs", "gb18030"), frozenset(_TRADITIONAL), _IDEOGRAPHS),
    _Script(("cp932", "euc_jp"), _KANA | frozenset(_KANJI), _IDEOGRAPHS),
    _Script(("cp949",), _letters("가", "힣")),
)


def guess(sample: bytes) -> str:
    """Return the most likely encoding of a text that is not UTF-8.

    Languages are compared by the letters that they use. Others are left to charset-normalizer, which errs more often
    where the text is short.
    """
    scored = [(script.score(text), name) for script in _SCRIPTS for name, text in _readings(script, sample)]
    score, name = max(scored, key=lambda each: each[0], default=(0.0, ""))
    if score >= _LEAST_SCORE:
        return name
    try:
        from charset_normalizer import from_bytes  # noqa: PLC0415  most texts need none
    except ImportError:
        # It is a package of tgllm[files]; texts are read without it.
        return name or "cp1252"
    best = from_bytes(sample).best()
    return best.encoding if best else name or "cp1252"


def _readings(script: _Script, sample: bytes) -> list[tuple[str, str]]:
    """Return the text of the sample in each encoding of a language that can hold it."""
    found: list[tuple[str, str]] = []
    for name in script.encodings:
        text = _read(sample, name)
        if text is not None:
            found.append((name, text))
    return found


def _read(sample: bytes, name: str) -> str | None:
    """Return the first letters of a sample, or None if it is not in this encoding."""
    # What is scored is the part with letters that are not ASCII.
    start = next((at for at, byte in enumerate(sample) if byte > 0x7F), 0)
    part = sample[max(0, start - 64) :][:_SCORED]
    for cut in range(4):
        try:
            return part[: len(part) - cut].decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(part) - 4:
                return None
    return None
