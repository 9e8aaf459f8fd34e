/**
 * The tests of a module: files beside it, `prices.test.ts` beside `prices.ts`, any `*.test.ts` in the folder of an
 * `index.ts`. They import `node:test` and `node:assert/strict`, which stand-ins answer in the sandbox they run in, since
 * neither they nor what they test may reach Node there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { parseSync } from 'oxc-parser'
import { isTest, type Candidate, type Subject } from './candidate.ts'
import { textAt } from './disk.ts'

/** path from the root → text */
export type Texts = Record<string, string>

/** Whether a file tests the module whose code begins in `entry`. Pure. */
export function isTestOf(entry: string, path: string): boolean {
  if (!isTest(path) || posix.dirname(path) !== posix.dirname(entry)) return false
  const [stem = ''] = posix.basename(entry).split('.')
  return stem === 'index' || posix.basename(path).startsWith(`${stem}.`)
}

export interface OwnTests {
  /** as they stand on disk: no change may touch them */
  there: Texts
  /** that the change brings */
  brought: Texts
}

export function testsBeside(root: string, entry: string | null): Texts {
  const found: Texts = {}
  if (entry === null) return found
  for (const name of namesIn(join(root, dirname(entry)))) {
    const path = posix.join(posix.dirname(entry), name)
    const text = isTestOf(entry, path) ? textAt(root, path) : undefined
    if (text !== undefined) found[path] = text
  }
  return found
}

export function ownTests(root: string, { detail }: Subject, { edits }: Candidate): OwnTests {
  const entry = detail.source_file
  const there = testsBeside(root, entry)
  if (entry === null) return { there, brought: {} }
  const fresh = edits.flatMap(({ path, text }) =>
    text !== null && isTestOf(entry, path) && !Object.hasOwn(there, path) ? [[path, text] as const] : [],
  )
  return { there, brought: Object.fromEntries(fresh) }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return [] // it is gone, or outside of the root: there are none beside it
  }
}

const API_FOLDER = 'mm-test-api'
const API_FILES = ['test.ts', 'assert.ts', 'equal.ts']
const STAND_INS: Readonly<Record<string, string>> = {
  'node:test': `./${API_FOLDER}/test.ts`,
  'node:assert': `./${API_FOLDER}/assert.ts`,
  'node:assert/strict': `./${API_FOLDER}/assert.ts`,
}

/** One test file as something that can be tried: its entry, and all that is not on disk. Throws what cannot be parsed. */
export function testWorld(path: string, text: string): { entry: string; texts: Texts } {
  const folder = posix.dirname(path)
  const entry = posix.join(folder, `${basename(path).replace(/\.[^.]+$/, '')}.trial.ts`)
  const api = API_FILES.map((name) => [posix.join(folder, API_FOLDER, name), apiText(name)] as const)
  return { entry, texts: { ...Object.fromEntries(api), [path]: withStandIns(path, text), [entry]: entryText(path) } }
}

const apiText = (name: string): string => readFileSync(join(import.meta.dirname, 'test-api', name), 'utf8')

const entryText = (path: string): string =>
  [
    `import './${basename(path)}'`,
    `import { runTests } from '${STAND_INS['node:test']}'`,
    'export class Module { runTests() { return runTests() } }',
    '',
  ].join('\n')

function withStandIns(path: string, text: string): string {
  const { module } = parseSync(path, text)
  let written = text
  for (const { moduleRequest } of [...module.staticImports].reverse()) {
    const to = STAND_INS[moduleRequest.value]
    if (to !== undefined) written = `${written.slice(0, moduleRequest.start)}'${to}'${written.slice(moduleRequest.end)}`
  }
  return written
}
