/**
 * Reading the Bracket Protocol beside JSON.parse of the same data, in one run: short calls, code as a value, in small
 * chunks, and hostile messages at twice and four times their size. Beside it other readers: those that take what is
 * nearly JSON, YAML, and a parser generated from the protocol's own grammar. All take turns, and the fastest of their
 * rounds counts: what else the machine does only ever adds to it. Run: npm run bench -- bracket
 */
import { readFileSync } from 'node:fs'
import { jsonrepair } from 'jsonrepair'
import { parse as parsePartial } from 'partial-json'
import peggy from 'peggy'
import { parse as parseYaml } from 'yaml'
import { BRACKET_LIMITS, fence, printCall, scan, Scanner } from '../modules/bracket/index.ts'
import type { JsonMap } from '../modules/contracts/seams.ts'
import { allCalls } from '../test/support/bracket-messages.ts'
import { machine, round, table } from './support.ts'

/** Of what is quick. */
const ROUNDS = 40
const SLOW_ROUNDS = 8
/** The slow ones read a part of the data, and JSON.parse the same part. */
const PART = 10

/** Milliseconds of each, in turns: the fastest round, of those behind a warm-up. */
function compare(works: readonly (() => unknown)[], rounds = ROUNDS): number[] {
  const best = works.map(() => Number.POSITIVE_INFINITY)
  for (let turn = 0; turn < rounds + 3; turn++) {
    for (const [index, work] of works.entries()) {
      const began = performance.now()
      work()
      if (turn >= 3) best[index] = Math.min(best[index] ?? 0, performance.now() - began)
    }
  }
  return best
}

const each =
  <T>(items: readonly T[], work: (item: T) => unknown) =>
  (): void => {
    for (const item of items) work(item)
  }

const grammar = peggy.generate(readFileSync(new URL('../test/bracket/oracle.peggy', import.meta.url), 'utf8'))
const calls = allCalls()
const source = readFileSync(new URL('../modules/kernel/succession.ts', import.meta.url), 'utf8')
const code = Array.from({ length: 200 }, (_, index) => ({ name: 'write', params: { text: `${source}// ${index}\n` } }))
const quotedCall = ({ name, params }: { name: string; params: JsonMap }): string =>
  `\`\`\`tool\n{"call": ${JSON.stringify(name)}, "params": ${JSON.stringify(params)}}\n\`\`\``

const rows: string[][] = []
for (const [what, set] of [
  [`${calls.length} short calls`, calls],
  [`200 × ${Math.round(source.length / 1024)} KB of code`, code],
] as const) {
  const json = set.map(({ name, params }) => JSON.stringify({ call: name, params }))
  const printed = set.map(({ name, params }) => fence('tool', printCall(name, params)))
  const quoted = set.map(quotedCall)
  const [base = 0, ...ours] = compare([
    each(json, (text) => JSON.parse(text) as unknown),
    each(printed, (text) => scan(text)),
    each(printed, (text) => scan(text, { repair: true })),
    each(quoted, (text) => scan(text)),
  ])
  const part = json.filter((_, index) => index % PART === 0)
  const blocks = set.filter((_, index) => index % PART === 0).map(({ name, params }) => printCall(name, params))
  const [basePart = 0, ...others] = compare(
    [
      each(part, (text) => JSON.parse(text) as unknown),
      each(blocks, (text) => grammar.parse(text) as unknown),
      each(part, (text) => parsePartial(text) as unknown),
      each(part, (text) => JSON.parse(jsonrepair(text)) as unknown),
      each(part, (text) => parseYaml(text) as unknown),
    ],
    SLOW_ROUNDS,
  )
  const times = (ms: readonly number[], of: number, digits: number): string[] =>
    ms.map((one) => `${round(one / of, digits)} ×`)
  rows.push([what, `${round(base)} ms`, ...times(ours, base, 2), ...times(others, basePart, 1)])
}
console.log(`### Reading calls (${machine()})\n`)
const readers = ['as printed', 'with repairs', 'JSON in the braces', 'peggy', 'partial-json', 'jsonrepair', 'yaml']
console.log(table(['data', 'JSON.parse', ...readers], rows))

const stream = code.map(({ name, params }) => fence('tool', printCall(name, params))).slice(0, 40)
const chunks = stream.map((text) => text.match(/[^]{1,4}/g) ?? [])
const bytes = stream.reduce((sum, text) => sum + text.length, 0)
const [streamed = 0] = compare(
  [
    each(chunks, (pieces) => {
      const scanner = new Scanner({ part: () => {} }, { repair: true })
      for (const piece of pieces) scanner.push(piece)
      scanner.end()
    }),
  ],
  SLOW_ROUNDS,
)
console.log(`\nIn chunks of 4 characters: ${round(bytes / 1e6 / (streamed / 1e3), 1)} MB/s\n`)

const SHAPES: Record<string, (n: number) => string> = {
  'opening braces': (n) => '{'.repeat(n),
  'open brackets': (n) => `{call: t {params {a: ${'['.repeat(n)}`,
  'unclosed strings': (n) => '{call: t {params {a: "x\n'.repeat(n / 26),
  'unclosed raw strings': (n) => '{call: t {params {a: <<END\n'.repeat(n / 28),
  backslashes: (n) => `{call: t {params {a: "${'\\'.repeat(n)}`,
  'end tags that are none': (n) => `{call: t {params {a: <<E\n${'E'.repeat(n)}`,
  'closing lines in a string': (n) => `{call: t {params {a: "${'```\n'.repeat(n / 4)}`,
  'broken calls': (n) => '{call: t {params {p: }}}\n'.repeat(n / 25),
  'fences of other labels': (n) => '```json\n{"name": "x"\n```\n'.repeat(n / 25),
  'backticks in a line': (n) => '`` '.repeat(n / 3),
  'one word': (n) => `{call: t {params {a: ${'x'.repeat(n)}`,
  blanks: (n) => `{call: t ${' \n'.repeat(n / 2)}`,
}
/** About what all rounds of a shape take together. */
const SHAPE_MS = 10_000
/** The longest is as long as a message may be, nearly. */
const MIB = BRACKET_LIMITS.message_chars_max / 4 - 64
/**
 * Joined, not added: an added text stays in two parts for the engine, until some collection of garbage happens to put one
 * of the texts together and not the others. Each of its characters then costs an eighth less.
 */
const lines = Object.entries(SHAPES).map(([what, shape]) => {
  const texts = [1, 2, 4].map((times) => ['```tool\n', shape(times * MIB)].join(''))
  const works = texts.map((text) => () => scan(text, { repair: true }))
  const [sample = 0] = compare(works, 1)
  const rounds = Math.min(ROUNDS, Math.max(SLOW_ROUNDS, Math.floor(SHAPE_MS / (7 * sample))))
  const [one = 0, two = 0, four = 0] = compare(works, rounds)
  return [what, `${round(one, 1)} ms`, `${round(two / one)} ×`, `${round(four / two)} ×`]
})
console.log(table(['hostile shape', '1 MiB', '2 MiB to 1', '4 MiB to 2'], lines))
