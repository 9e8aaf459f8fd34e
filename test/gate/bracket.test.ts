/** The Bracket Protocol at size: real calls, real source files, any value, hostile messages, every way to cut a message. */
import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fence, printCall, scan } from '../../modules/bracket/index.ts'
import type { JsonMap } from '../../modules/contracts/seams.ts'
import { comesBack, fuzzBracket, readText, sourceFiles } from '../support/bracket-fuzz.ts'
import { allCalls, oddMessages } from '../support/bracket-messages.ts'
import { splits } from '../support/bracket-told.ts'
import { packageRoot } from '../support/root.ts'

const HOSTILE = 200_000
const VALUES = 50_000
const FILES = 10_000
const MESSAGES = 200
const NPM = join(dirname(realpathSync(process.execPath)), '..', 'lib', 'node_modules')

it('every real call comes back as it was printed, and prints the same again', () => {
  const calls = allCalls()
  for (const { id, name, params } of calls) {
    const [part] = scan(fence('tool', printCall(name, params)))
    if (part?.kind !== 'call') throw new Error(`${id}: ${JSON.stringify(part)}`)
    expect({ id, name: part.name, params: part.params }).toEqual({ id, name, params })
    expect(printCall(part.name, part.params)).toBe(part.source)
  }
  expect(calls.length).toBeGreaterThan(4_000)
})

it(`${FILES} source files come back as values, raw and quoted`, { timeout: 120_000 }, () => {
  let files = 0
  const lost: string[] = []
  // The repository with what it installs, and then npm itself.
  for (const path of sourceFiles([packageRoot, NPM], FILES)) {
    files++
    if (!comesBack(readText(path))) lost.push(path)
  }
  expect(lost).toEqual([])
  expect(files).toBe(FILES)
})

it(`${VALUES} values of any kind come back`, { timeout: 120_000 }, () => {
  const value = fc.jsonValue({ maxDepth: 4 }).map((one) => JSON.parse(JSON.stringify(one)) as JsonMap)
  fc.assert(
    fc.property(value, (one) => {
      const [part] = scan(fence('tool', printCall('x', { value: one })))
      return part?.kind === 'call' && JSON.stringify(part.params['value']) === JSON.stringify(one)
    }),
    { numRuns: VALUES, seed: 20_260_502 },
  )
})

it(`${HOSTILE} hostile messages: parts and errors with their place, nothing thrown`, { timeout: 120_000 }, () => {
  const { problems, calls, errors } = fuzzBracket(20_260_503, HOSTILE)
  expect(problems.slice(0, 3)).toEqual([])
  expect(calls).toBeGreaterThan(HOSTILE / 20)
  expect(Object.keys(errors).length).toBeGreaterThan(10)
})

it.each([false, true])(
  `every way to cut ${MESSAGES} messages in two tells the same (repairs: %s)`,
  { timeout: 120_000 },
  (repair) => {
    for (const message of oddMessages(MESSAGES, 20_260_504)) expect(splits(message, repair)).toBeUndefined()
  },
)
