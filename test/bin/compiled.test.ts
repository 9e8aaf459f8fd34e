/** A checkout runs what it compiled of its sources: never of sources as they were, and not at all where that cannot be. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cleanEnv, type CommandResult } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const PARTS = ['bin', 'cli', 'run.ts', 'package.json', 'modules/contracts', 'modules/lib', 'modules/loader']
let checkout: TestRoot

beforeEach(() => {
  checkout = createRoot({})
  for (const part of [...PARTS, 'modules/sandbox'])
    cpSync(join(packageRoot, part), join(checkout.path, part), { recursive: true })
  symlinkSync(join(packageRoot, 'node_modules'), join(checkout.path, 'node_modules'))
})
afterEach(() => checkout.dispose())

const at = (file: string): string => join(checkout.path, file)

function mm(...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [at('bin/mm.js'), ...args], { env: cleanEnv() })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)))
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
    child.on('close', (code) => resolve({ code, stdout: stdout.trim(), stderr }))
  })
}

const VERSION_FILE = 'cli/package-root.ts'

function answerWith(version: string): void {
  const source = readFileSync(at(VERSION_FILE), 'utf8')
  writeFileSync(at(VERSION_FILE), source.replace(/return (version|'.*')$/m, `return '${version}'`))
}

it('an edit of the same length is seen by the next start, and nothing else is compiled again', async () => {
  expect(await mm('--version')).toMatchObject({ code: 0, stderr: '' })
  const others = statSync(at('dist/cli/main.js')).mtimeMs
  for (const version of ['one', 'two']) {
    answerWith(version)
    expect((await mm('--version')).stdout).toBe(version)
  }
  expect(statSync(at('dist/cli/main.js')).mtimeMs).toBe(others)
})

it('edits between two starts that follow at once are never missed', async () => {
  await mm('--version')
  for (let index = 10; index < 18; index++) {
    const before = mm('--version')
    answerWith(String(index))
    await before
    expect((await mm('--version')).stdout).toBe(String(index))
  }
})

it('what was compiled just after a change is compiled once more: a second change may have the same time', async () => {
  const file = pathToFileURL(at('bin/compiled.js')).href
  const { compiled } = (await import(file)) as {
    compiled(root: string, now: () => number): Promise<string | undefined>
  }
  const output = at('dist/cli/package-root.js')
  const made = async (now: number): Promise<number> => {
    expect(await compiled(checkout.path, () => now)).toBe(at('dist'))
    return statSync(output).ino
  }
  const changed = statSync(at(VERSION_FILE)).ctimeMs
  const first = await made(changed + 50)
  const second = await made(Date.now() + 10_000)
  expect(second).not.toBe(first)
  expect(await made(Date.now() + 20_000)).toBe(second)
})

it('several first starts at once run the same code', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => mm('--version')))
  for (const one of all) expect(one).toEqual({ code: 0, stdout: all[0]?.stdout, stderr: '' })
})

it('a source that is gone leaves nothing to be imported', async () => {
  writeFileSync(at('cli/spare.ts'), 'export const spare = 1\n')
  await mm('--version')
  expect(existsSync(at('dist/cli/spare.js'))).toBe(true)
  rmSync(at('cli/spare.ts'))
  await mm('--version')
  expect(existsSync(at('dist/cli/spare.js')) || existsSync(at('dist/cli/spare.js.map'))).toBe(false)
})

it('what is missing or empty of it is made again', async () => {
  expect((await mm('--version')).code).toBe(0)
  await mm('--version')
  rmSync(at('dist/cli/output.js'))
  writeFileSync(at('dist/cli/main.js'), '')
  expect(await mm('--version')).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(at('dist/cli/main.js'), 'utf8')).not.toBe('')
})

it('where nothing can be written the sources run', async () => {
  writeFileSync(at('dist'), 'in the way')
  answerWith('from the source')
  expect(await mm('--version')).toMatchObject({ code: 0, stdout: 'from the source' })
})

it('an error in a source names its file, and is over when it is mended', async () => {
  await mm('--version')
  const whole = readFileSync(at(VERSION_FILE), 'utf8')
  writeFileSync(at(VERSION_FILE), `${whole}\nconst = 1\n`)
  const broken = await mm('--version')
  expect(broken.code).not.toBe(0)
  expect(broken.stderr).toContain('package-root.ts')
  writeFileSync(at(VERSION_FILE), whole)
  expect((await mm('--version')).code).toBe(0)
})

it('a stack shows the line of the source', async () => {
  const source = readFileSync(at(VERSION_FILE), 'utf8')
  writeFileSync(at(VERSION_FILE), `${source}\ninterface Gone {\n  a: 1\n}\nthrow new Error('here')\n`)
  const line = source.split('\n').length + 4
  expect((await mm('--version')).stderr).toContain(`package-root.ts:${line}:`)
})
