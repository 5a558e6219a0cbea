"""Kinds of text files by the endings of their names and by their first line."""

import re
from typing import NamedTuple

__all__ = ["PLAIN", "TextKind", "ending_of", "kind_of_name", "kind_of_shebang"]


class TextKind(NamedTuple):
    """Kind of a text file."""

    mime: str
    language: str = ""
    """Name of the language behind the fence of a code block; empty for prose and data."""


PLAIN = TextKind("text/plain")

_DATA = {
    "csv": "text/csv",
    "tsv tab": "text/tab-separated-values",
    "html htm xhtml": "text/html",
    "json geojson webmanifest har ipynb": "application/json",
    "jsonl ndjson": "application/x-ndjson",
    "xml xsd xsl xslt rss atom wsdl plist gpx kml tcx xlf resx": "text/xml",
    "svg": "image/svg+xml",
    "eml": "message/rfc822",
    "ics ical ifb": "text/calendar",
    "vcf vcard": "text/vcard",
    "md markdown mdown mkd": "text/markdown",
    "rst": "text/x-rst",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "txt text log": "text/plain",
}
_CODE = {
    "python": ("text/x-python", "py pyw pyi"),
    "javascript": ("text/javascript", "js mjs cjs"),
    "typescript": ("text/x-typescript", "ts mts cts"),
    "css": ("text/css", "css"),
    "c": ("text/x-c", "c h"),
    "cpp": ("text/x-c++", "cc cpp cxx hh hpp hxx ino"),
    "java": ("text/x-java", "java"),
    "sh": ("text/x-shellscript", "sh bash zsh ksh"),
    "sql": ("text/x-sql", "sql"),
    "yaml": ("text/x-yaml", "yaml yml"),
    "toml": ("text/x-toml", "toml"),
    "ini": ("text/x-ini", "ini cfg conf properties env desktop service"),
    "diff": ("text/x-diff", "diff patch"),
    "latex": ("text/x-tex", "tex sty cls bib"),
    "php": ("text/x-php", "php"),
    "ruby": ("text/x-ruby", "rb"),
    "perl": ("text/x-perl", "pl pm"),
    "rust": ("text/x-rust", "rs"),
    "go": ("text/x-go", "go"),
}
_PLAIN_CODE = (
    "jsx tsx vue svelte scss sass less csharp=cs fsharp=fs vbnet=vb kotlin=kt,kts scala groovy=groovy,gradle swift "
    "objectivec=m,mm dart lua r julia=jl haskell=hs ocaml=ml elixir=ex,exs erlang=erl clojure=clj lisp=lisp,el "
    "scheme=scm pascal=pas fortran=f90,f,for asm=asm,s verilog=v,sv vhdl=vhd zig nim d powershell=ps1,psm1 "
    "bat=bat,cmd fish awk sed protobuf=proto graphql=graphql,gql hcl=tf,hcl nix cmake make=mk,mak dockerfile json5 "
    "jsonc jinja=jinja,j2 erb ejs handlebars=hbs jsp aspx bsl=bsl,os,1c solidity=sol gdscript=gd glsl hlsl "
    "gitignore=gitignore,dockerignore ini=editorconfig apache=htaccess nginx vim tcl ada=ada,adb cobol=cob,cbl abap "
    "po=po,pot dot=dot,gv mermaid plantuml=puml reg "
)
"""Languages whose type is plain text: the name of each, with its endings if they differ from it."""
_WHOLE_NAMES = (
    "make=makefile,gnumakefile dockerfile=dockerfile,containerfile cmake=cmakelists.txt groovy=jenkinsfile "
    "ruby=gemfile,rakefile,vagrantfile yaml=procfile toml=pipfile sh=.bashrc,.profile,.zshrc ini=.env"
)
"""Names of files that have no ending, and their languages."""


def _each(table: str) -> dict[str, str]:
    """Return the keys of a table such as ``first=a,b second``, whose entry ``second`` means ``second=second``."""
    entries = (entry.partition("=") for entry in table.split())
    return {key: name for name, _, keys in entries for key in (keys or name).split(",")}


_BY_SUFFIX = {
    **{suffix: TextKind(mime) for suffixes, mime in _DATA.items() for suffix in suffixes.split()},
    **{suffix: TextKind(mime, name) for name, (mime, suffixes) in _CODE.items() for suffix in suffixes.split()},
    **{suffix: TextKind("text/plain", language) for suffix, language in _each(_PLAIN_CODE).items()},
}
_BY_NAME = {name: TextKind("text/plain", language) for name, language in _each(_WHOLE_NAMES).items()}
_ENDINGS = {kind.language: f".{suffix}" for suffix, kind in reversed(_BY_SUFFIX.items())}
"""The first ending of each language."""
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*)?(?:\S*/)?([a-z]+)")
_INTERPRETERS = (
    "py=python,pypy sh=sh,bash,zsh,dash,ksh fish js=node ts=deno,bun rb=ruby pl=perl php lua awk=awk,gawk sed mk=make "
    "ps1=pwsh r=rscript jl=julia tcl=tclsh"
)
"""Programs that run scripts, and the endings of those."""
_BY_INTERPRETER = {name: _BY_SUFFIX[suffix] for name, suffix in _each(_INTERPRETERS).items()}


def kind_of_name(name: str) -> TextKind | None:
    """Return the kind of a text file by its name, or None if its ending is no known one."""
    whole = name.lower().rpartition("/")[2]
    if whole in _BY_NAME:
        return _BY_NAME[whole]
    _, dot, suffix = whole.rpartition(".")
    return _BY_SUFFIX.get(suffix) if dot else None


def ending_of(name: str) -> str:
    """Return the ending of a name, with its dot, in lower case; for names such as ``Makefile`` that of the language."""
    whole = name.lower().rpartition("/")[2]
    if whole in _BY_NAME:
        return _ENDINGS[_BY_NAME[whole].language]
    _, dot, suffix = whole.rpartition(".")
    return dot + suffix if dot else ""


def kind_of_shebang(head: str) -> TextKind | None:
    """Return the kind of a script by its first line, or None if that names no known interpreter."""
    match = _SHEBANG.match(head)
    return _BY_INTERPRETER.get(match[1]) if match else None
