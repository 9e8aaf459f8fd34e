/**
 * Reading the Bracket Protocol beside JSON.parse of the same data, in one run: short calls, code as a value, in small
 * chunks, and hostile messages at twice their size. Run: npm run bench -- bracket
 */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { fence, printCall, scan, Scanner } from '../modules/bracket/index.ts'
import type { JsonMap } from '../modules/contracts/seams.ts'
import { allCalls } from '../test/support/bracket-messages.ts'
import { machine, median, round, table } from './support.ts'

const ROUNDS = 5

/** Milliseconds of each, in turns, medians. */
function compare(works: readonly (() => unknown)[]): number[] {
  const times = works.map((): number[] => [])
  for (let turn = 0; turn < ROUNDS + 2; turn++) {
    for (const [index, work] of works.entries()) {
      const began = performance.now()
      work()
      if (turn >= 2) times[index]?.push(performance.now() - began)
    }
  }
  return times.map(median)
}

const each =
  <T>(items: readonly T[], work: (item: T) => unknown) =>
  (): void => {
    for (const item of items) work(item)
  }

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
  const yaml = json.slice(0, 20)
  const [base = 0, canonical = 0, asJson = 0, repair = 0, baseYaml = 0, slow = 0] = compare([
    each(json, (text) => JSON.parse(text) as unknown),
    each(printed, (text) => scan(text)),
    each(quoted, (text) => scan(text)),
    each(printed, (text) => scan(text, { repair: true })),
    each(yaml, (text) => JSON.parse(text) as unknown),
    each(yaml, (text) => parseYaml(text) as unknown),
  ])
  rows.push([
    what,
    `${round(base)} ms`,
    `${round(canonical / base)} ×`,
    `${round(repair / base)} ×`,
    `${round(asJson / base)} ×`,
    `${round(slow / baseYaml, 0)} ×`,
  ])
}
console.log(`### Reading calls (${machine()})\n`)
console.log(table(['data', 'JSON.parse', 'as printed', 'with repairs', 'JSON in the braces', 'yaml'], rows))

const stream = code.map(({ name, params }) => fence('tool', printCall(name, params))).slice(0, 40)
const chunks = stream.map((text) => text.match(/[^]{1,4}/g) ?? [])
const bytes = stream.reduce((sum, text) => sum + text.length, 0)
const [streamed = 0] = compare([
  each(chunks, (pieces) => {
    const scanner = new Scanner({ part: () => {} }, { repair: true })
    for (const piece of pieces) scanner.push(piece)
    scanner.end()
  }),
])
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
const lines = Object.entries(SHAPES).map(([what, shape]) => {
  const texts = [1, 2].map((times) => `\`\`\`tool\n${shape(times * 1_000_000)}`)
  const [once = 0, twice = 0] = compare(texts.map((text) => () => scan(text, { repair: true })))
  return [what, `${round(once, 1)} ms`, `${round(twice / once)} ×`]
})
console.log(table(['hostile shape', '1 MB', 'time of 2 MB'], lines))
