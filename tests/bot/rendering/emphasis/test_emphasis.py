"""Emphasis in answers: what models mean with asterisks, underscores and tildes, in any script."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgllm.bot.rendering.document import Block, Code, Inline, Link, Math, Paragraph, Styled, Text
from tgllm.bot.rendering.emphasis.hidden import MARKS, hidden, shown
from tgllm.bot.rendering.parse import parse
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage
from tgllm.bot.rendering.render import render, render_draft
from tgllm.bot.rendering.source.tail import tail_of

Check = Callable[[Payload], None]
Shown = Callable[[Sequence[Payload]], str]

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

MEANT = """
**bold** *i* ~~s~~ ***x***                  → [bold] <i> ~s~ <[x]>
__Bold Text__ _some words_ _really_         → [Bold Text] <some words> <really>
_A sentence._ __Bold one.__ (_in parens._)  → <A sentence.> [Bold one.] (<in parens.>)
_see a/_ _"quoted"_/_it_ _one_ _two._      → <see a/> <"quoted">/<it> <one> <two.>
**bold**text re**mark**able **H**yper**T**ext → [bold]text re[mark]able [H]yper[T]ext
*nested **bold** in* **nested *it* in**     → <nested [bold] in> [nested <it> in]
***a** b* *a **b*** **_x_** _**z**_         → <[a] b> <a [b]> [<x>] <[z]>
*a*, *b*; *c*! *d*? —*e*— …*f*… (*g*) "*h*" → <a>, <b>; <c>! <d>? —<e>— …<f>… (<g>) "<h>"
*E. coli*-based, *foo*'s, *his*/*her*       → <E. coli>-based, <foo>'s, <his>/<her>
**Note:**text **"quoted"**text **(a)**text  → [Note:]text ["quoted"]text [(a)]text
**Note (important)**text *Note:*text        → [Note (important)]text <Note:>text
"**Bold**text" **foo "*bar*" foo** *(*a*)*  → "[Bold]text" [foo "<bar>" foo] <(<a>)>
**Input**/**Output** **/etc/hosts** **https://a.b/c/** → [Input]/[Output] [/etc/hosts] [https://a.b/c/]
**Result: 2**10 = 1024** *a product 2*3 here* → [Result: 2**10 = 1024] <a product 2*3 here>
*smiles :)* *This is a sentence.* *... and* → <smiles :)> <This is a sentence.> <... and>
** Note:** text                             → [ Note:] text
**「甲」**和**「乙」**很像                       → [「甲」]和[「乙」]很像
**要点：**继续                                → [要点：]继续
*「强调」*文，这是*强调*的词。                    → <「强调」>文，这是<强调>的词。
**第一，**第二，**第三。**                       → [第一，]第二，[第三。]
使用**`pip install`**命令、**“引号”**和**《书名》**。  → 使用[`pip install`]命令、[“引号”]和[《书名》]。
**注：（括号）**后文**（括号）**后文               → [注：（括号）]后文[（括号）]后文
中文**English**中文 English**中文**English     → 中文[English]中文 English[中文]English
数字**123**个，**100%**的，约**3.5**倍            → 数字[123]个，[100%]的，约[3.5]倍
**①**第一**②**第二「**重点**」、（**重点**）、“**重点**” → [①]第一[②]第二「[重点]」、（[重点]）、“[重点]”
**重点**——说明 **重点**…… **重点**·次要 **重点**/次要 → [重点]——说明 [重点]…… [重点]·次要 [重点]/次要
~~「旧」~~新 ~~旧~~新 價格~~100~~80               → ~「旧」~新 ~旧~新 價格~100~80
__「重点」__的 __重点__的 _「重点」_的 _重点_ 的      → [「重点」]的 [重点]的 <「重点」>的 <重点> 的
***甲**乙* **甲*乙*** *甲**乙**丙* **甲***乙*     → <[甲]乙> [甲<乙>] <甲[乙]丙> [甲]<乙>
**[链接](http://a.b)**和**$x^2$**的 **🎉**好 🎉**好**🎉 → [{链接}]和[$x^2$]的 [🎉]好 🎉[好]🎉
他说**"你好"**就走，**要点:**继续                 → 他说["你好"]就走，[要点:]继续
**https://a.b/c/**是 **重要： **内容            → [https://a.b/c/]是 [重要： ]内容
日本語の**「太字」**です。**太字**と*斜体*と~~取消~~。   → 日本語の[「太字」]です。[太字]と<斜体>と~取消~。
***「強調」***です ***强调***文                   → <[「強調」]>です <[强调]>文
한국어 *기울임*은 ***굵은***를 **"따옴표"**가 **(괄호)**와 → 한국어 <기울임>은 <[굵은]>를 ["따옴표"]가 [(괄호)]와
คำ**"สำคัญ"**มาก และ**ตัวหนา**ครับ *เอียง*ตัว → คำ["สำคัญ"]มาก และ[ตัวหนา]ครับ <เอียง>ตัว
الـ**«كلمة»**مهمة و**كلمة**، **نص:**تابع *مائل*، → الـ[«كلمة»]مهمة و[كلمة]، [نص:]تابع <مائل>،
ה**"מילה"**הזאת ב**מודגש**ים *נטוי*,         → ה["מילה"]הזאת ב[מודגש]ים <נטוי>,
यह **शब्द**ों का **"अर्थ"**है                → यह [शब्द]ों का ["अर्थ"]है
**Q：**答 **A:**答 **“重要”**！**【注】**请看       → [Q：]答 [A:]答 [“重要”]！[【注】]请看
**1、**第一 **（一）**第二 **1）**第三             → [1、]第一 [（一）]第二 [1）]第三
**C++**和**C#**是 **.NET**的 使用**.env**文件     → [C++]和[C#]是 [.NET]的 使用[.env]文件
**a = b*c** 是 **2*3=6**。 结果为**2*3**        → [a = b*c] 是 [2*3=6]。 结果为[2*3]
**50%**的人 约**$5**元 **$E=mc^2$**是 是**$x$**的 → [50%]的人 约[$5]元 [$E=mc^2$]是 是[$x$]的
**Ελληνικά**και **ქართული**ტექსტი **հայերեն**տեքստ → [Ελληνικά]και [ქართული]ტექსტი [հայերեն]տեքստ
**தமிழ்**மொழி **বাংলা**ভাষা **ខ្មែរ**ភាសា **ລາວ**ພາສາ → [தமிழ்]மொழி [বাংলা]ভাষা [ខ្មែរ]ភាសា [ລາວ]ພາສາ
*`code`* **[l](http://a.b):**文 ~~[l](http://a.b)~~文 → <`code`> [{l}:]文 ~{l}~文
**a**`b`**c** `a`**b**`c`                   → [a]`b`[c] `a`[b]`c`
**Жирный**текст **«Кавычки»**и *курсив*     → [Жирный]текст [«Кавычки»]и <курсив>
"""
"""Answers, and what they mean: bold in brackets, italics in angle brackets, links in braces, ``~`` around the rest."""

KEPT = """
5! = 5*4*3*2*1
2*3*4, a*b*c and x*y; 3*x + 4*y = 5*z; 2*π*r; √2*√3
width*height*depth, größe*höhe*breite, α*β*γ, длина*ширина*высота
un*frigging*believable and *foo*bar
2*(3+4)*5, n*(n-1)*(n-2)*(n-3), (a+b)*c and d*(e+f), f(x)*g(y)*h(z)
a[i]*b[j]*c[k] (x+1)*(y+2)*(z+3) a*(b)*c 2*-3*-4
体积=长*宽*高，总价 = 单价*数量*折扣，速度*2*3
부피 = 가로*세로*높이
x**2 + y**2 = z**2, 2**10 and 3**5, a**b**c, n**k**m, e**x + e**y
(x+1)**2 - (y+1)**2, 10**-3 and 10**-4, f(x)**power + g(x)**power, 2 ** 3 ** 4
"-"*40 + "="*40, i*=2; j*=3; x *= 2; x **= 2; y **= 3
*.py and *.txt, *.foo.*, lib*.so*, foo*bar*, test_*.py *_*.py, *_test.go and test_*
src/**/*.py, **/*.pyi, src/**, !**/x, **/test/**/*.py
/path/*/x and a/*/b/*/c, /tmp/*.log /var/*.log, src/* and lib/*
0 */2 * * * and */5 * * * *
.*foo.*, (.*?), a.*b.*c, ^.*$, [^*]*, a.*|b.*|c
__init__.py, __name__ and __all__, obj.__class__.__name__, __attribute__((packed))
foo_bar_baz, snake_case_ and _private, _a_b_, _GNU_SOURCE_, имя_поля_таблицы, 变量_名称_类型
self._name_ and obj._x and obj._y, _foo_.py, path/_build_/html, foo_(bar)_
请看__init__方法和__call__方法
**kwargs and **args
f(*args, **kwargs), print(*a,**b) and g(y,**kw), f(**kw) and h(**kw)
f(*args) - see note*
SELECT * FROM a * b; SELECT a.*, b.* FROM t; COUNT(*) and SUM(*); import *, x
"*" and "*", '*' or '*', vector<*> and list<*>
int* p, char* q; int *p = a*b; void f(char *s, int *n) { *n = *s * 2; }
x = *a + *b; y = -*c; z = &*d
f(char*, int*); x = (int*)p + (char*)q
/*comment*/ and /* comment */ and (* comment *)
~/a and ~/b, 2~3~4, 5~10分钟，20~30, H~2~O, ~user x~, 100~200元，300~400元
user_name@host_name.com @user_name #tag_name_x
https://a.b/_x_/y*z*w and https://en.wikipedia.org/wiki/A_(b)_c_(d)_e
x = *ptr++; ls *.txt | grep "*" && rm *.bak; CSS: * { margin: 0 } and *:hover
{*.js,*.ts} [*.md] "*.py" '*.rb' (*.go); use * or ** here
1*2 and 3*4; 10**6, 1e3*2, 0.5*x*y, $5*3*2; Δ*t; 2*x^2*y; (2*x)*(3*y); x*(y*z)
^a*b*$ and (a|b)*c* and [a-z]*[0-9]*, a_1*b_2*c_3, my_var*other_var*third, sin(x)*cos(y)*tan(z)
obj.__dict__ super().__init__() __pycache__/ __tests__/foo, $HOME/_x_/y _id: 5, {"_id": 1, "_type": 2}
Price* and terms* apply. *See the note
"""
"""Lines in which every character is text."""

LINES_MEANT = [line.partition("→")[::2] for line in MEANT.strip().splitlines()]
LINES_KEPT = KEPT.strip().splitlines()


def notation(blocks: Sequence[Block]) -> str:
    (block,) = blocks
    assert isinstance(block, Paragraph)
    return "".join(map(_inline, block.inlines))


def _inline(inline: Inline) -> str:
    match inline:
        case Text(text):
            return text
        case Code(text):
            return f"`{text}`"
        case Math(tex):
            return f"${tex}$"
        case Link(_, inlines):
            return "{" + "".join(map(_inline, inlines)) + "}"
        case Styled(style, inlines):
            opening, closing = {"bold": "[]", "italic": "<>", "strikethrough": "~~"}[style]
            return opening + "".join(map(_inline, inlines)) + closing


@pytest.mark.parametrize(("source", "meant"), LINES_MEANT)
def test_emphasis_is_what_its_writer_meant(source: str, meant: str) -> None:
    # A space keeps "** Note" from being cut; the end of the line is that of the sample.
    assert notation(parse(source.rstrip())) == meant.strip(" ").replace("→", "")


@pytest.mark.parametrize("line", LINES_KEPT)
def test_operators_globs_and_names_keep_their_characters(line: str, check_payload: Check) -> None:
    (message,) = render(line, rich="never")
    assert message == EntityText(line)
    (rich,) = render(line, rich="always")
    assert isinstance(rich, RichMessage)
    check_payload(rich)
    assert rich.degraded() == (message,)
    assert not any(kind in str(rich.blocks) for kind in ("bold", "italic", "strikethrough"))


@pytest.mark.parametrize("sample", LINES_KEPT)
def test_each_part_of_a_line_keeps_its_characters_too(sample: str) -> None:
    for part in sample.replace(", ", "; ").split("; "):
        for source in (part, f"See {part}.", f"- {part}", f"> {part}", f"| a |\n|-|\n| {part.replace('|', '')} |"):
            output = "".join(
                message.text for message in render(source, rich="never") if isinstance(message, EntityText)
            )
            for mark in "*_~":
                assert output.count(mark) == source.count(mark), source


@pytest.mark.parametrize("source", [source.rstrip() for source, _ in LINES_MEANT] + LINES_KEPT)
def test_the_last_draft_is_the_answer(source: str) -> None:
    (message,) = render(source.removesuffix(" *"), rich="never")
    # An asterisk or a cell at the end may begin something, so it is shown later.
    assert render_draft(f"{source}\n\n") == message


@pytest.mark.parametrize("source", [source.rstrip() for source, _ in LINES_MEANT if not source.isascii()])
def test_no_draft_shows_asterisks_of_emphasis(source: str, check_payload: Check) -> None:
    for end in range(len(source)):
        if source[:end].endswith(('**"', "**.")):
            # Perhaps it is the quotation mark or the full stop at an end.
            continue
        draft = render_draft(source[:end])
        assert "**" not in draft.text, source[:end]
        if draft.text:
            check_payload(draft)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"\*a\* \_b\_ *c\*d* **\*\*** \~~e\~~", "*a* _b_ c*d ** ~~e~~"),
        ("&#42;a&#42; *b&ast;c*", "*a* b*c"),
        ("`*a*` **`*b*`** `\\*c\\*`", "*a* *b* \\*c\\*"),
        ("```*a*\n*b*\n_c_ ~~d~~\n```", "*b*\n_c_ ~~d~~"),
        ("    *code* _x_", "*code* _x_"),
        ("[*a*](https://e.com/*b*_c_) <https://e.com/_d_*e*>", "a https://e.com/_d_*e*"),
        ("* a\n* *b*\n\n***\n\n___\n\n_ _ _\n\n* * *\n\nc", "• a\n• b\n\n———\n\n———\n\n———\n\n———\n\nc"),
        ("~~~\n*a*\n~~~\n~~b~~", "*a*\n\nb"),
        ("$a_1 * b_2$ and $c*d*e$", "a₁ * b₂ and c*d*e"),
        ("<a_b@c.org> <div data_x='*'>*y*", "a_b@c.org <div data_x='*'>y"),
        ("x[^a_b]\n\n[^a_b]: *n*", "x[a_b]\n\n[a_b] n"),
        ("\ufdd0a\ufdd0 *b*", "\ufffda\ufffd b"),
    ],
)
def test_where_marks_are_text(source: str, text: str) -> None:
    messages = [message for message in render(source, rich="never") if isinstance(message, EntityText)]
    assert "\n\n".join(message.text for message in messages) == text


def test_an_emphasis_goes_on_in_a_cut_draft() -> None:
    tail, is_cut = tail_of("An operator 2**10, **bold " + "word " * 4000)
    assert is_cut
    assert tail.startswith("\n**word")
    tail, is_cut = tail_of("An operator 2**10, **bold** " + "word " * 4000)
    assert is_cut
    assert tail.startswith("\nword")


FRAGMENTS = [
    *'*_~ \na甲「」：()".🎉=2กש/\\',
    "**", "***", "__", "~~", "b1", "`c`", "$x$", "[l](http://e.org)", "\\*", "https://e.org/",
]  # fmt: skip
PIECES = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@relaxed
@given(PIECES)
def test_no_hidden_mark_is_left_and_no_text_lost(check_payload: Check, shown: Shown, source: str) -> None:
    for payloads in (render(source, rich="never"), render(source, rich="always"), [render_draft(source)]):
        output = shown(payloads)
        assert not any(mark in output for mark in MARKS)
        for payload in payloads:
            if output.strip():
                check_payload(payload)
    output = iter(shown(render(source, rich="never")))
    assert all(char in output for char in source if char in "a甲🎉กש「」：")


@relaxed
@given(st.text() | PIECES)
def test_hidden_marks_come_back(source: str) -> None:
    assert shown(hidden(source)) == source.translate(dict.fromkeys(map(ord, MARKS), "\ufffd"))


@pytest.mark.parametrize(
    "source", ["_Well said, and done._", "__Well said, and done.__", "_One._ Two. _Well said, and done._"]
)
def test_emphasis_ends_behind_the_full_stop_of_a_sentence(source: str) -> None:
    (part,) = render(source)
    assert isinstance(part, EntityText)
    assert part.text == source.replace("_", "")
