/**
 * The static scan beside what happens to a module anyway (types away, imports to calls), on this project's own sources:
 * milliseconds for 1,000 lines. Each in turns, the fastest round counts. Run: npm run bench -- scan
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nestingOf } from '../modules/lib/nesting.ts'
import { transform } from '../modules/loader/transform.ts'
import { FORBIDDEN_IMPORTS } from '../modules/sandbox/scan/forbidden.ts'
import { scanSource } from '../modules/sandbox/scan/scan.ts'
import { parse } from '../modules/sandbox/scan/tree.ts'
import { machine, round, table } from './support.ts'

const ROUNDS = 12
const folder = fileURLToPath(new URL('../modules', import.meta.url))
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name): [string, string] => [name, readFileSync(join(folder, name), 'utf8')])
const lines = files.reduce((sum, [, text]) => sum + text.split('\n').length, 0)

const WORKS: [string, () => unknown][] = [
  ['measuring how deep it nests', () => files.map(([, text]) => nestingOf(text))],
  ['parsing', () => files.map(([name, text]) => parse(name, text))],
  [
    'the whole scan',
    () => files.map(([name, text]) => scanSource({ [name]: text }, { packages: [], forbidden: FORBIDDEN_IMPORTS })),
  ],
  ['beside it: the transform of the loader', () => files.map(([name, text]) => transform(name, text))],
]
const best = WORKS.map(() => Number.POSITIVE_INFINITY)
for (let turn = 0; turn < ROUNDS; turn++) {
  for (const [index, [, work]] of WORKS.entries()) {
    const began = performance.now()
    work()
    best[index] = Math.min(best[index] ?? 0, performance.now() - began)
  }
}
console.log(`### Static scan (${files.length} files, ${lines} lines)\n\n${machine()}\n`)
console.log(
  table(
    ['what', 'ms for 1,000 lines'],
    WORKS.map(([name], index) => [name, round(((best[index] ?? 0) / lines) * 1000)]),
  ),
)
