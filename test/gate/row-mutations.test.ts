/**
 * Each row of the pure part of the meta-loop is there for a line: with that line changed, the row's test fails. One run
 * of the test runner over copies of the few files it takes, one copy for each line and one as it is.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MUTATIONS, type Mutation } from '../control/rows/meta-rules.mutations.ts'
import { cleanEnv } from '../support/process.ts'
import { packageRoot } from '../support/root.ts'

const ROWS = 'test/control/rows'
const FILES = ['meta-scores.test.ts', 'meta-rules.test.ts', 'meta-patterns.test.ts']
const LOOP = 'modules/control/meta-loop'
const PARTS = ['modules/contracts', 'modules/lib', `${LOOP}/rules`, `${LOOP}/scoring`, 'test/control/meta-loop']
const RUN_MS = 120_000
const CONFIG = `export default {
  cacheDir: './cache',
  test: { include: ['*/${ROWS}/*.test.ts'], pool: 'threads', isolate: false, testTimeout: 30_000 },
}
`

/** As the runner's reporter writes it. */
interface Report {
  testResults: { name: string; assertionResults: { title: string; status: string }[] }[]
}

const ROW = /^(\w+ \d+): /
const rowsOf = (file: string): string[] =>
  [...readFileSync(join(packageRoot, ROWS, file), 'utf8').matchAll(/\bit\(\s*'(\w+ \d+): /g)].map(([, row = '']) => row)
const shownBy = new Map(FILES.flatMap((file) => rowsOf(file).map((row) => [row, file])))

const folder = mkdtempSync(join(tmpdir(), 'mm-rows-'))
/** copy → the rows whose test failed in it */
const failed = new Map<string, string[]>()

const nameOf = ({ row }: Mutation): string => row.replace(' ', '-')

function copy(name: string, files: readonly string[]): void {
  const to = join(folder, name)
  for (const part of PARTS)
    cpSync(join(packageRoot, part), join(to, part), { recursive: true, filter: (path) => !path.endsWith('.test.ts') })
  mkdirSync(join(to, ROWS))
  for (const file of files) cpSync(join(packageRoot, ROWS, file), join(to, ROWS, file))
}

function mutate(mutation: Mutation): void {
  copy(nameOf(mutation), [shownBy.get(mutation.row) ?? ''])
  const path = join(folder, nameOf(mutation), LOOP, mutation.file)
  const text = readFileSync(path, 'utf8')
  expect([mutation.row, text.split(mutation.replace).length]).toEqual([mutation.row, 2])
  writeFileSync(
    path,
    text.replace(mutation.replace, () => mutation.by),
  )
}

function run(): Promise<void> {
  const runner = join(packageRoot, 'node_modules/vitest/vitest.mjs')
  const args = ['run', '--root', folder, '--reporter=json', '--outputFile', join(folder, 'report.json')]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [runner, ...args], { cwd: folder, env: cleanEnv(), stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS)
    child.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

beforeAll(async () => {
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'vitest.config.mjs'), CONFIG)
  copy('whole', FILES)
  for (const mutation of MUTATIONS) mutate(mutation)
  await run()
  const { testResults } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
  for (const { name, assertionResults } of testResults) {
    const [copied = ''] = name.slice(folder.length + 1).split('/')
    const rows = assertionResults.flatMap(({ title, status }) =>
      status === 'passed' ? [] : (ROW.exec(title)?.[1] ?? []),
    )
    // A file that could not be read at all shows nothing.
    if (assertionResults.length > 0) failed.set(copied, [...(failed.get(copied) ?? []), ...rows])
  }
}, RUN_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('every row has its line', () => {
  expect(MUTATIONS.map(({ row }) => row).sort()).toEqual([...shownBy.keys()].sort())
})

it('as it is, no test fails', () => {
  expect(failed.get('whole')).toEqual([])
})

it.each(MUTATIONS)('$row fails without its line', (mutation) => {
  expect(failed.get(nameOf(mutation))).toContain(mutation.row)
})
