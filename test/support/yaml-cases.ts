/**
 * Hostile config texts, each from a number of its own: `caseText(seed, n)` gives the same text for ever. Most are real
 * configs cut, doubled, indented, spliced and sprinkled with what YAML finds special; one in a thousand is large.
 */
import { random, type Random } from './load.ts'

const CORPUS = [
  'api: my_api\nprog: my_module\n\n# a comment\ncheck_interval: 10\nsome_value: "example"\n',
  'prog: openai\nparams:\n  base_url: "https://x.test/v1" # where\n  temperature: 0.7\n  tool_use: true\n',
  'needs: [database, tools]\nlimits:\n  drain_ms: 500\n  init_ms: 1_000\nreload: quiesce\nenabled: true\n',
  'text: |\n  several lines\n    one deeper\n\n  and more\nfolded: >-\n  one\n  line\nlast: ~\n',
  'base: &base {a: 1, b: [x, y]}\ncopy: *base\nlist:\n  - *base\n  - &two {c: *base}\n  - *two\n',
  'a:\n  b:\n    c:\n      - d: 1\n        e: 2\n      - - f\n        - g\n? h\n: i\n',
  "single: 'it''s'\ndouble: \"\\u0041\\n\\t\"\nplain: a b\n  c d\nnull: null\nflow: {x: [1, 2.5, -3e4], 'y': {}}\n",
  '%YAML 1.2\n---\nset: !!set {a, b}\nbin: !!binary aGk=\nwhen: 2001-01-01\nown: !thing {x: 1}\n...\n',
  '%YAML 1.1\n---\nb: &b {x: 1}\na:\n  <<: *b\n  y: yes\ntime: 12:30:00\n',
  'restart: {max: 3, window_ms: 100}\ndescription: a service\ngrants: [database.query]\nrecord: false\ndomain: d\n',
  '',
]

const SIGNS = '&*!|>%@`"\'#{}[],?:-~<=\\\t\r\n\0 '.split('')
const MARKS = ['&a ', '*a', '*base ', '? ', ': ', '- ', '\t- ', '|\n', '>-\n', '---\n', '...\n', '\r\n', '<<: *a\n']
const TAGS = ['!!set ', '!!binary ', '!!omap ', '!!pairs ', '!!js/function ', '!<x> ', '%TAG ! x:\n', '%YAML 1.1\n']
const CHARS = ['\uFEFF', '\u2028', '\u0085', '\uD800', '\u{1F600}']
const NAMES = ['__proto__: ', '"__proto__": {polluted: 1}\n', 'constructor: {prototype: {polluted: 1}}\n']
const VALUES = ['.inf', '-.NaN', '1e999', '0x', '0o8', '1_000', '9007199254740993', 'null', '${HOME}', 'secret:x']
const KEYS = [
  'api: kernel\n',
  'api: ',
  'needs: ',
  'params: ',
  'enabled: false\n',
  'limits: {constructor: 1}\n',
  'prog: ../x\n',
]
const SPECIAL = [...SIGNS, ...MARKS, ...TAGS, ...CHARS, ...NAMES, ...VALUES, ...KEYS]

type Mutation = (text: string, chance: Random) => string

const pick = <T>(list: readonly T[], chance: Random): T => list[chance.between(0, list.length - 1)] as T

/** Two places in a text, in their order. */
function span(text: string, chance: Random, length = text.length): [number, number] {
  const from = chance.between(0, text.length)
  return [from, Math.min(text.length, from + chance.between(0, length))]
}

const inLine = (text: string, chance: Random, change: (line: string) => string): string => {
  const lines = text.split('\n')
  const at = chance.between(0, lines.length - 1)
  return lines.with(at, change(lines[at] ?? '')).join('\n')
}

const put: Mutation = (text, chance) => {
  const [from] = span(text, chance)
  return text.slice(0, from) + pick(SPECIAL, chance) + text.slice(from)
}

const MUTATIONS: readonly Mutation[] = [
  put,
  put,
  (text, chance) => {
    const [from] = span(text, chance)
    return text.slice(0, from) + pick(SPECIAL, chance) + text.slice(from + 1)
  },
  (text, chance) => {
    const [from, to] = span(text, chance, 40)
    return text.slice(0, from) + text.slice(to)
  },
  (text, chance) => {
    const [from, to] = span(text, chance, 60)
    return text.slice(0, to) + text.slice(from, to).repeat(chance.between(1, 20)) + text.slice(to)
  },
  // Half written.
  (text, chance) => text.slice(0, chance.between(0, text.length)),
  (text, chance) => inLine(text, chance, (line) => ' '.repeat(chance.between(0, 6)) + line.trimStart()),
  (text, chance) => inLine(text, chance, (line) => `\t${line}`),
  (text, chance) => inLine(text, chance, (line) => `${line}\n${line}`),
  (text, chance) => {
    const [other, [from]] = [pick(CORPUS, chance), span(text, chance)]
    return text.slice(0, from) + other.slice(chance.between(0, other.length)) + text.slice(from)
  },
  (text, chance) => {
    const deep = chance.between(1, chance.next() < 0.1 ? 300 : 12)
    const [open, close] = pick(NESTS, chance)
    return `${text}\nnest: ${open.repeat(deep)}1${close.repeat(deep)}`
  },
  (text, chance) => `${text}\n${indented(chance.between(1, chance.next() < 0.05 ? 300 : 12))}`,
]

const NESTS = [
  ['[', ']'],
  ['{a: ', '}'],
  ['[{a: ', '}]'],
  ['{', '}'],
] as const

/** Nested by indentation: a map in a map in a map. */
const indented = (depth: number): string =>
  Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}k:`).join('\n')

const numbered = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('')

const bomb = (levels: number, each: number): string =>
  `a0: &a0 [x, x]\n${numbered(levels, (n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(each)}]\n`)}`

/** What takes a parser without limits seconds, minutes, or the stack. */
const LARGE: readonly ((chance: Random) => string)[] = [
  (chance) => pick(SPECIAL, chance).repeat(100_000),
  (chance) => `a: ${pick(SPECIAL, chance).repeat(8_000)}`,
  (chance) => pick(CORPUS, chance).repeat(chance.between(2, 400)),
  (chance) => `a: "${'x'.repeat(10 * 1_048_576 - chance.between(0, 9))}"`,
  (chance) => `a: |\n${`  ${'x'.repeat(76)}\n`.repeat(chance.between(1, 13_000))}`,
  () => indented(1_000),
  () => indented(1_400),
  (chance) => pick(NESTS, chance)[0].repeat(chance.between(201, 100_000)),
  (chance) => `${pick(['- ', '? ', '? - '], chance).repeat(chance.between(100, 100_000))}x`,
  () => numbered(100_000, (n) => `k${n}: 1\n`),
  () => numbered(1_600, (n) => `k${n}: ${n}\n`),
  () => `{${numbered(1_900, (n) => `k${n}, `)}}`,
  () => numbered(1_000, (n) => `- &a${n} 1\n- *a${n}\n`),
  (chance) => bomb(chance.between(2, 12), chance.between(2, 12)),
  (chance) => `a: &a "${'x'.repeat(200_000)}"\nb: [${'*a, '.repeat(chance.between(2, 100))}]`,
  () => `b: &b {x: 1}\na:\n${'  <<: *b\n'.repeat(1_000)}`,
]

export const LARGE_ONE_IN = 1_000

export function caseText(seed: number, n: number): string {
  const chance = random(seed * 1_000_003 + n)
  if (n % LARGE_ONE_IN === LARGE_ONE_IN - 1) return pick(LARGE, chance)(chance)
  let text = pick(CORPUS, chance)
  for (let times = chance.between(1, 4); times > 0; times--) text = pick(MUTATIONS, chance)(text, chance)
  return text
}
