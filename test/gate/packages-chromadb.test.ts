/**
 * The paper's bridge where its package is not installed: a copy of the product without `chromadb`, run as a user runs it.
 * The service waits, an operator confirms on the command line, and it speaks to its server without a restart of anything.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cleanEnv, startProcess, type RunningSystem } from '../support/process.ts'
import { Registry } from '../support/registry.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const ID = 'chromadb@3.5.0'
let product: string
let registry: Registry
let root: TestRoot
let system: RunningSystem

/** Its own code, and every installed package but one. */
function copyWithout(missing: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'mm-product-'))
  for (const part of ['bin', 'cli', 'modules', 'scripts', 'vendor', 'run.ts', 'package.json', 'tsconfig.json'])
    cpSync(join(packageRoot, part), join(copy, part), {
      recursive: true,
      filter: (path) => !path.slice(packageRoot.length).includes('node_modules'),
    })
  const installed = join(packageRoot, 'node_modules')
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(installed)) {
    if (name !== missing && !name.startsWith('.')) symlinkSync(join(installed, name), join(copy, 'node_modules', name))
  }
  return copy
}

beforeEach(async () => {
  registry = await Registry.start()
  for (const name of ['chromadb', 'semver']) registry.publish(join(packageRoot, 'node_modules', name))
  product = copyWithout('chromadb')
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/packages.yml': `prog: services/packages\nregistry: ${registry.url}\n`,
    'configs/chromadb.yml': 'prog: services/chromadb\nhttp_mode: true\nhost: 127.0.0.1\nport: 1\n',
  })
  system = await startProcess(root, { mm: join(product, 'bin', 'mm.js') })
})
afterEach(async () => {
  await system.stop()
  root.dispose()
  registry.dispose()
  rmSync(product, { recursive: true, force: true })
})

/** Not in this process's way: the registry answers from here. */
const mm = (...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    const all = [join(product, 'bin', 'mm.js'), '--root', root.path, ...args]
    const child = spawn(process.execPath, all, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', () => resolve(text))
  })

it('chromadb is absent, waited for, confirmed, and live', async () => {
  const show = async () => (await system.api('GET', '/api/services/chromadb')).body
  expect(await show()).toMatchObject({ state: 'waiting', waiting_for: [`package:${ID}`] })
  expect(registry.requests).toEqual([])
  expect(await mm('packages')).toMatch(/chromadb@3\.5\.0 +pending +chromadb/)
  const refused = await system.api('POST', '/api/services/packages/call', { method: 'confirm', args: [ID, 'guess'] })
  expect(refused).toMatchObject({ status: 403, body: { error: { code: 'operator_only' } } })

  expect(await mm('packages', 'confirm', ID)).toMatch(/chromadb@3\.5\.0 installed +sha512-/)
  await expect.poll(show).toMatchObject({ state: 'live', waiting_for: [] })
  const { note, mode } = await system.call<{ note: string; mode: string }>('chromadb', 'describe')
  expect(mode).toBe('http')
  expect(note).toContain('http://127.0.0.1:1')
})
