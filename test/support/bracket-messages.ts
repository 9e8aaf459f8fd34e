/**
 * Messages as models write them, right and wrong in every way the tests know: seeded, the same each time. Used where a
 * property has to hold for all of them, and by the benchmarks.
 */
import { readFileSync } from 'node:fs'
import { fence, printCall } from '../../modules/bracket/index.ts'
import type { JsonMap } from '../../modules/contracts/seams.ts'
import { random, type Random } from './load.ts'

export interface SampleCall {
  id: string
  name: string
  params: JsonMap
}

const readCalls = (file: string): SampleCall[] =>
  readFileSync(new URL(`../fixtures/bracket/${file}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SampleCall)

export const sampleCalls = (): SampleCall[] => readCalls('bfcl-sample.jsonl')

/** Ten times as many. */
export const allCalls = (): SampleCall[] => readCalls('bfcl-calls.jsonl')

/** Blocks that are not as they should be, and strings full of what matters outside of them. */
const ODD_BLOCKS = [
  '{call: t {params {a: 1}',
  '{call: t {params {a: 1}}}}',
  '{call: t {params {a: "x"y}}}',
  '{call: t {params {a: "never closed}}}',
  '{call: t {params {a: <<END\n```\nEND\n}}}',
  '{call: t {params {a: <<END\nno end}}}',
  '{call: t {params {a: <<E1\n  E1x\nE1\n} {b: <<E1\n\nE1}}}',
  '{call: t {params {a = 1}}}',
  '{call: t {params {a 1}}}',
  '{call: my\\_tool {params {a\\_b: True}}}',
  '{"name": "t", "arguments": {"a": [1, 2, {"b": null}]}}',
  '{"name": "t", "arguments": "{\\"a\\": 1}"}',
  '[{call: a}, {call: b}]',
  '{\n  # a comment\n  call: t\n  // another\n  {params\n    {a: "x\ny"}\n  }\n}',
  '{result: t {status: success}}',
  '{call: t, params: {"a": "\\u00e9\\n\\"", \'b\': \'it\\\'s\'}}',
  '{call: t {params {n: 12345678901234567890} {m: -1.5e3}}}',
  'read_file("a.txt")',
  'Let me do it.\n{call: t {params {a: 1}}}\nThat was it.',
  '{call: t {params {a: [1, 2}}}',
  '{}',
  '{call: t {params {a: {b {c: 1} {d: 2}} {e: []}}}}',
]

const AROUND = ['', 'Sure.\n', 'I read it:\n\n', '`code` and ``` here\n', 'a\r\nb\r\n', '{call it}\n', '  \n']
const OPEN = [
  '```tool\n',
  '```tool\n',
  '```tool\n',
  '```tool  \r\n',
  '````tool\n',
  '```json\n',
  '```\n',
  'so ```tool\n',
  '',
]
const CLOSE = ['\n```\n', '\n```\n', '\n```\n', '\n````\n', '\n  ```  \r\n', '```\n', '', '\n```']

const pick = <T>(from: readonly T[], { between }: Random): T => from[between(0, from.length - 1)] as T

export function oddMessages(count: number, seed: number): string[] {
  const random_ = random(seed)
  const calls = sampleCalls()
  return Array.from({ length: count }, () => {
    const blocks = Array.from({ length: random_.between(1, 3) }, () => {
      const { name, params } = pick(calls, random_)
      return random_.next() < 0.4 ? printCall(name, params) : pick(ODD_BLOCKS, random_)
    })
    const text = pick(AROUND, random_) + pick(OPEN, random_) + blocks.join('\n') + pick(CLOSE, random_)
    return text + pick(AROUND, random_)
  })
}

/** Calls as the printer writes them, one a message. */
export const printedCalls = (calls: readonly SampleCall[]): string[] =>
  calls.map(({ name, params }) => fence('tool', printCall(name, params)))
