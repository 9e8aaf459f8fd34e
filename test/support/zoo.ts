/**
 * The zoo: modules of every kind a reload has to get right, from test/fixtures/zoo, as files of a root. `zooSource`
 * gives one of them in another version, which is what an edit of it looks like.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Module as Counter } from '../fixtures/zoo/counter.ts'
import type { Module as Cron } from '../fixtures/zoo/cron.ts'
import type { Module as Echo } from '../fixtures/zoo/echo.ts'
import type { Module as Journal } from '../fixtures/zoo/journal.ts'
import type { Module as Queue } from '../fixtures/zoo/queue.ts'
import type { Module as Steps } from '../fixtures/zoo/steps.ts'
import { packageRoot } from './root.ts'

export type Animal = 'counter' | 'cron' | 'echo' | 'journal' | 'queue' | 'steps'

/** What a handle to each of them offers. */
export type { Counter, Cron, Echo, Journal, Queue, Steps }

export function zooSource(name: Animal, version = 1): string {
  const source = readFileSync(join(packageRoot, 'test/fixtures/zoo', `${name}.ts`), 'utf8')
  return source.replace('const VERSION = 1', `const VERSION = ${version}`)
}

/** `modules/<name>.ts` and `configs/<name>.yml` for each; the journal comes with those that write to it. */
export function zoo(...names: Animal[]): Record<string, string> {
  const needJournal = names.some((name) => zooSource(name).includes("needs = ['journal']"))
  const all = new Set<Animal>(needJournal ? ['journal', ...names] : names)
  const files: Record<string, string> = {}
  for (const name of all) {
    files[`modules/${name}.ts`] = zooSource(name)
    files[`configs/${name}.yml`] = ''
  }
  return files
}
