"""Pages as a model reads them: their text, their parts, what can't be read, and which URLs are opened."""

import asyncio
from typing import Any

import pytest

from tgllm.api import ChatInfo, ChatMessage, TextPart, ToolFailed, ToolResultPart
from tgllm_web.known import KnownUrls, urls_in

ARTICLE = """<!doctype html><html><head><title>All about  tea &amp; milk</title></head><body>
<nav><a href="/">Home</a></nav><article><h1>Tea</h1>
<p>Tea is a drink that is made from leaves and hot water, and many people drink it each day of their lives.</p>
<p>It is often drunk with milk. The <a href="/leaves?kind=black">leaves</a> come from a bush in warm countries.</p>
<p>A cup of tea contains less caffeine than a cup of coffee, but more than most people think.</p>
</article></body></html>"""


async def refusal(read: Any, url: str, **options: Any) -> str:
    with pytest.raises(ToolFailed) as caught:
        await read(url, **options)
    return str(caught.value)


async def test_an_article(site: Any, read: Any) -> None:
    url = site.page("/tea", ARTICLE)

    output = await read(url)

    assert output.text.startswith(f"URL: {url}\nTitle: All about tea & milk\n\n")
    assert "made from leaves and hot water" in output.text
    assert f"{site.url}/leaves?kind=black" in output.text
    assert [(source.url, source.title) for source in output.sources] == [(url, "All about tea & milk")]


async def test_a_long_page_has_parts_and_is_requested_once(site: Any, read: Any) -> None:
    paragraphs = [f"Paragraph {number} tells a long story about the number {number}." for number in range(100)]
    url = site.page("/a", "\n\n".join(paragraphs), "text/plain")

    parts = [(await read(url, part=number, part_characters=1_000)).text for number in (1, 2, 6)]

    assert ["Part 1 of 6; the next one: part=2" in parts[0], "Part 6 of 6\n" in parts[2]] == [True, True]
    assert "Paragraph 0 " in parts[0]
    assert "Paragraph 99 " in parts[2]
    assert "6 part(s)" in await refusal(read, url, part=7, part_characters=1_000)
    assert len(site.requests) == 1


async def test_a_page_is_requested_again_when_it_is_old(site: Any, read: Any) -> None:
    url = site.page("/a", "old", "text/plain")
    await read(url)
    site.page("/a", "new", "text/plain")
    await read.clock.advance(601)

    assert (await read(url)).text.endswith("new")


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=windows-1251", "Привет".encode("windows-1251"), "Привет"),
        ("text/plain", "Привет".encode(), "Привет"),
        ("text/plain", "\ufeffПривет".encode("utf-16-le"), "Привет"),
        ("text/plain; charset=zlib", b"caf\xe9", "café"),
        ("text/plain; charset=nonsense", "é".encode(), "é"),
        ("text/plain; charset=idna", "é".encode(), "é"),
        ("text/plain; charset=PunyCode", b"ab-cd", "ab-cd"),
        ("text/plain; charset=unicode-escape", rb"a\x41", r"a\x41"),
        ("application/json", b'{"a": [1]}', '{"a": [1]}'),
        ("application/xml", '<?xml version="1.0" encoding="koi8-r"?><a>я</a>'.encode("koi8-r"), "<a>я</a>"),
        ("application/rss+xml", b"<rss>x</rss>", "<rss>x</rss>"),
        ("text/markdown", b"# A\r\n\r\n\r\n\r\nb \x00\xe2\x80\xaec\xf3\xa0\x81\x81d", "# A\n\nb cd"),
        ("application/octet-stream", b"plain text", "plain text"),
    ],
)
async def test_kinds_and_character_sets(site: Any, read: Any, kind: str, body: bytes, text: str) -> None:
    assert (await read(site.page("/a", body, kind))).text.endswith(text)


@pytest.mark.parametrize("where", ["header", "meta", "none"])
async def test_the_character_set_of_html(site: Any, read: Any, where: str) -> None:
    meta = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">' if where == "meta" else ""
    page = ARTICLE.replace("Tea is", "Чай это").replace("<head>", f"<head>{meta}")
    encoding = "utf-8" if where == "none" else "windows-1251"
    kind = "text/html; charset=windows-1251" if where == "header" else "text/html"

    assert "Чай это a drink" in (await read(site.page("/a", page.encode(encoding), kind))).text


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("application/pdf", b"%PDF-1.7", "PDF"),
        ("text/html", b"%PDF-1.7", "PDF"),
        ("image/png", b"\x89PNG", "image/png"),
        ("application/octet-stream", bytes(range(32)) * 9, "application/octet-stream"),
        ("text/html", b"<html><body><script>app()</script></body></html>", "no text"),
        ("text/html", b"", "no text"),
    ],
)
async def test_what_can_not_be_read(site: Any, read: Any, kind: str, body: bytes, words: str) -> None:
    assert words in await refusal(read, site.page("/a", body, kind))


async def test_a_page_without_an_article_is_read_as_it_is(site: Any, read: Any) -> None:
    url = site.page("/a", "<html><body><h1>Opening hours</h1><ul><li>Mon 9-17</li></ul></body></html>")

    assert "Mon 9-17" in (await read(url)).text


async def test_a_page_that_keeps_the_parser_busy_costs_its_time_limit(site: Any, read: Any) -> None:
    url = site.page("/a", "<p>x" * 800_000)

    assert "too complicated" in await refusal(read, url, extract_seconds=1.0, page_bytes=5_000_000)
    # The next page is read.
    assert "hot water" in (await read(site.page("/b", ARTICLE))).text


async def test_a_page_that_needs_much_memory_does_not_get_it(site: Any, read: Any) -> None:
    url = site.page("/a", "<b>" * 1_600_000)

    said = await refusal(read, url, extract_mb=128, page_bytes=5_000_000, extract_seconds=30.0)

    assert "too complicated" in said or "no text" in said


async def test_a_cancelled_call_ends_the_child(site: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    ready = asyncio.Event()
    original = asyncio.create_subprocess_exec

    async def watched(*args: Any, **kwargs: Any) -> Any:
        started.append(await original(*args, **kwargs))
        ready.set()
        return started[-1]

    monkeypatch.setattr("asyncio.create_subprocess_exec", watched)
    task = asyncio.create_task(read(site.page("/a", "<p>x" * 800_000), page_bytes=5_000_000))
    await ready.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert started[0].returncode is not None


async def test_the_child_gets_no_keys(site: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    original = asyncio.create_subprocess_exec

    async def watched(*args: Any, **kwargs: Any) -> Any:
        seen.update(kwargs["env"])
        return await original(*args, **kwargs)

    monkeypatch.setattr("asyncio.create_subprocess_exec", watched)
    monkeypatch.setenv("BRAVE_API_KEY", "made-up")
    await read(site.page("/a", ARTICLE))

    assert "PATH" in seen
    assert "BRAVE_API_KEY" not in seen


class Asked:
    """A person who presses a button."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.questions: list[str] = []

    async def __call__(self, question: str, choices: Any = (), *, url: str = "") -> str | None:
        self.questions.append(question)
        return self.answer


async def test_an_unknown_url_is_opened_after_a_question(site: Any, read: Any) -> None:
    url = site.page("/a", "text", "text/plain")
    yes, no = Asked("web.open"), Asked(None)

    refused = await refusal(read, url + "?q=secret", ask=no, unknown_urls="ask")
    opened = await read(url, ask=yes, unknown_urls="ask")
    again = await read(url, ask=Asked(None), unknown_urls="ask")

    assert ("does not want" in refused, opened.text == again.text) == (True, True)
    assert "/a?q=secret" in no.questions[0]
    assert [request.path_qs for request in site.requests] == ["/a"]


@pytest.mark.parametrize("unknown", ["ask", "refuse"])
async def test_where_no_one_can_be_asked_an_unknown_url_is_not_opened(site: Any, read: Any, unknown: str) -> None:
    url = site.page("/a", "text", "text/plain")

    assert "no message of the person" in await refusal(read, url, unknown_urls=unknown)
    assert site.requests == []


async def test_a_url_too_long_to_be_shown_is_not_opened(site: Any, read: Any) -> None:
    ask = Asked("web.open")

    assert "no message" in await refusal(read, f"{site.url}/{'x' * 800}", ask=ask, unknown_urls="ask")
    assert ask.questions == []


async def test_links_of_a_page_that_was_read_are_known(site: Any, read: Any) -> None:
    site.page("/leaves", "black", "text/plain")
    read.known.add(ChatInfo(1, "private"), [site.page("/tea", ARTICLE)])

    await read(f"{site.url}/tea", unknown_urls="ask")

    assert (await read(f"{site.url}/leaves?kind=black", unknown_urls="ask")).text.endswith("black")
    assert "no message" in await refusal(read, f"{site.url}/leaves?kind=secret", unknown_urls="ask")


async def test_an_approved_tool_does_not_ask_again(site: Any, read: Any) -> None:
    url = site.page("/a", "text", "text/plain")

    assert (await read(url, approve=True, unknown_urls="ask")).text.endswith("text")


CHAT, OTHER, TOPIC = ChatInfo(1, "private"), ChatInfo(2, "private"), ChatInfo(1, "private", topic_id=3)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("see https://a.example/b?c=d#e", "https://a.example/b?c=d"),
        ("see https://a.example/b.", "https://a.example/b"),
        ("(https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("https://WWW.A.example/b/", "http://a.example/b"),
        ("what is on a.example?", "https://a.example/"),
        ("read docs.a.example/b/c, please", "https://docs.a.example/b/c"),
        ("[text](https://a.example/b)", "https://a.example/b"),
        ("https://пример.example/чай", "https://xn--e1afmkfd.example/%D1%87%D0%B0%D0%B9"),
        ("http://a.example:8080/", "http://a.example:8080"),
    ],
)
def test_urls_that_a_person_has_written_are_known(written: str, url: str) -> None:
    known = KnownUrls()
    known.add_messages(CHAT, [ChatMessage("user", (TextPart(written),))])

    assert known.knows(CHAT, url)
    assert not known.knows(OTHER, url)
    assert not known.knows(TOPIC, url)
    assert not known.knows(CHAT, url.rstrip("/") + "/secret")
    assert not known.knows(CHAT, url + "?secret=1")


def test_what_a_model_or_a_tool_says_is_not_known() -> None:
    known = KnownUrls()
    url = "https://evil.example/?q=secret"
    known.add_messages(
        CHAT, [ChatMessage("assistant", (TextPart(url),)), ChatMessage("user", (ToolResultPart("1", "echo", url),))]
    )

    assert not known.knows(CHAT, url)


def test_the_known_urls_are_bounded() -> None:
    known = KnownUrls()
    for number in range(2_100):
        known.add(CHAT, [f"https://a.example/{number}"])
    for number in range(2, 320):
        known.add(ChatInfo(number, "private"), ["https://a.example/"])

    assert not known.knows(CHAT, "https://a.example/2099")
    assert not known.knows(ChatInfo(2, "private"), "https://a.example/")
    assert known.knows(ChatInfo(319, "private"), "https://a.example/")


def test_of_very_many_urls_those_of_the_latest_message_are_known() -> None:
    known = KnownUrls()
    old = ChatMessage("user", (TextPart(" ".join(f"https://a.example/{number}" for number in range(3_000))),))
    known.add_messages(CHAT, [ChatMessage("user", (TextPart("https://b.example/new"),)), old])

    assert known.knows(CHAT, "https://b.example/new")


def test_a_text_without_urls() -> None:
    assert list(urls_in("1.5 and e.g. some text, ann@a.example, file.txt?")) == ["file.txt?", "file.txt"]
