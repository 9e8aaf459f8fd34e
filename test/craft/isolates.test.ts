import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import { sourceFiles } from './files.ts'

/** Each of these gave a guest a way to the host, or the host a way to hang. */
const FORBIDDEN: [what: string, pattern: RegExp][] = [
  ['a reference that a guest could be given', /new \w*\.?Reference\(|\.derefInto\(/],
  ['a copy that a guest could be given', /ExternalCopy/],
  ['cached code', /cachedData|CachedData/],
  [
    'an entry that blocks the thread',
    /\b(?:apply|eval|evalClosure|compileScript|compileModule|createContext|run|get|set|copy|delete|instantiate|evaluate|getHeapStatistics)Sync\(/,
  ],
  ['a call back into the host that is waited for', /\bsync: true|\basync: true|applySyncPromise/],
  ['the module of isolates itself', /\bIsolate\.createSnapshot|NativeModule/],
]

const files = sourceFiles('modules/sandbox').map(
  (file) => [file, readFileSync(join(packageRoot, file), 'utf8')] as const,
)

it.each(FORBIDDEN)('the sandbox never uses %s', (_what, pattern) => {
  expect(files.length).toBeGreaterThan(30)
  expect(files.filter(([, text]) => pattern.test(text)).map(([file]) => file)).toEqual([])
})

it('one callback leads out of an isolate, and it is never waited for', () => {
  const made = files.flatMap(([file, text]) => [...text.matchAll(/new [\w.]*Callback\(/g)].map(() => file))
  expect(made).toEqual(['modules/sandbox/engine/isolate.ts'])
  expect(files.find(([file]) => file === made[0])?.[1]).toContain('{ ignored: true }')
})
