// Names of LaTeX commands and what they stand for.

const table = (text) => Object.fromEntries(text.trim().split(/\s+/).map((pair) => pair.split(":")));

export const GREEK = table(`
  alpha:α beta:β gamma:γ delta:δ epsilon:ϵ varepsilon:ε zeta:ζ eta:η theta:θ vartheta:ϑ iota:ι kappa:κ lambda:λ mu:μ nu:ν
  xi:ξ omicron:ο pi:π varpi:ϖ rho:ρ varrho:ϱ sigma:σ varsigma:ς tau:τ upsilon:υ phi:ϕ varphi:φ chi:χ psi:ψ omega:ω
  Gamma:Γ Delta:Δ Theta:Θ Lambda:Λ Xi:Ξ Pi:Π Sigma:Σ Upsilon:Υ Phi:Φ Psi:Ψ Omega:Ω
  infty:∞ partial:∂ nabla:∇ hbar:ℏ ell:ℓ Re:ℜ Im:ℑ aleph:ℵ emptyset:∅ varnothing:∅ imath:ı jmath:ȷ angle:∠ degree:° top:⊤ bot:⊥
  ldots:… dots:… cdots:⋯ vdots:⋮ ddots:⋱ prime:′ square:□ triangle:△ checkmark:✓`);

export const BIG = table(`
  sum:∑ prod:∏ coprod:∐ int:∫ iint:∬ iiint:∭ oint:∮ bigcup:⋃ bigcap:⋂ bigoplus:⨁ bigotimes:⨂ bigvee:⋁ bigwedge:⋀`);

export const OPERATORS = table(`
  cdot:⋅ times:× div:÷ pm:± mp:∓ ast:∗ star:⋆ circ:∘ bullet:∙ oplus:⊕ otimes:⊗ cup:∪ cap:∩ setminus:∖ wedge:∧ land:∧ vee:∨ lor:∨
  neg:¬ lnot:¬ leq:≤ le:≤ geq:≥ ge:≥ neq:≠ ne:≠ approx:≈ equiv:≡ sim:∼ simeq:≃ cong:≅ propto:∝ ll:≪ gg:≫ prec:≺ succ:≻ in:∈ notin:∉
  ni:∋ subset:⊂ subseteq:⊆ supset:⊃ supseteq:⊇ forall:∀ exists:∃ nexists:∄ to:→ rightarrow:→ leftarrow:← gets:← leftrightarrow:↔
  Rightarrow:⇒ implies:⟹ Leftarrow:⇐ Leftrightarrow:⇔ iff:⟺ mapsto:↦ longrightarrow:⟶ uparrow:↑ downarrow:↓ rightleftharpoons:⇌
  mid:∣ nmid:∤ parallel:∥ perp:⊥ colon:: langle:⟨ rangle:⟩ lfloor:⌊ rfloor:⌋ lceil:⌈ rceil:⌉ lvert:| rvert:| vert:| lVert:‖ rVert:‖
  Vert:‖ lbrace:{ rbrace:} lbrack:[ rbrack:] therefore:∴ because:∵ vdash:⊢ models:⊨ asymp:≍ dagger:† coloneqq:≔ lt:< gt:>`);
Object.assign(OPERATORS, { "{": "{", "}": "}", "|": "‖", colon: ":" });

const PLAIN = `arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max min Pr
  sec sin sinh sup tan tanh`.trim().split(/\s+/);
export const FUNCTIONS = new Map(PLAIN.map((name) => [name, { liminf: "lim inf", limsup: "lim sup" }[name] ?? name]));
// What has its limits below, not beside it.
export const LIMITS = new Set(["det", "gcd", "inf", "lim", "lim inf", "lim sup", "max", "min", "Pr", "sup", "argmax", "argmin", "arg max", "arg min"]);

export const SPACES = { ",": "0.17em", ":": "0.22em", ">": "0.22em", ";": "0.28em", " ": "0.33em", "\n": "0.33em", "!": "-0.17em",
  quad: "1em", qquad: "2em", enspace: "0.5em", thinspace: "0.17em" };

export const ACCENTS = {
  hat: ["mover", "^", false], widehat: ["mover", "^", true], bar: ["mover", "¯", false], overline: ["mover", "¯", true],
  vec: ["mover", "→", false], overrightarrow: ["mover", "→", true], dot: ["mover", "˙", false], ddot: ["mover", "¨", false],
  tilde: ["mover", "~", false], widetilde: ["mover", "~", true], check: ["mover", "ˇ", false], breve: ["mover", "˘", false],
  underline: ["munder", "_", true], overbrace: ["mover", "⏞", true], underbrace: ["munder", "⏟", true],
};

const DOUBLE = { C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ" };
const SCRIPT = { B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ", e: "ℯ", g: "ℊ", o: "ℴ" };
const FRAKTUR = { C: "ℭ", H: "ℌ", I: "ℑ", R: "ℜ", Z: "ℨ" };
// First code points of the capital letters, the small letters and the digits of an alphabet, and its exceptions.
export const ALPHABETS = {
  mathbb: [0x1d538, 0x1d552, 0x1d7d8, DOUBLE], Bbb: [0x1d538, 0x1d552, 0x1d7d8, DOUBLE],
  mathbf: [0x1d400, 0x1d41a, 0x1d7ce, {}], bm: [0x1d468, 0x1d482, 0x1d7ce, {}], boldsymbol: [0x1d468, 0x1d482, 0x1d7ce, {}],
  mathcal: [0x1d49c, 0x1d4b6, 0, SCRIPT], mathscr: [0x1d49c, 0x1d4b6, 0, SCRIPT], mathfrak: [0x1d504, 0x1d51e, 0, FRAKTUR],
  mathit: [0, 0, 0, {}],
};
