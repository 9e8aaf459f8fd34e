/** A `runtime/` that takes no writes: the start says so in one line, with a code and what to do, and leaves nothing. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { takeLock } from '../modules/lib/lock.ts'
import { cleanEnv } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

let root: TestRoot | undefined
afterEach(() => {
  if (root !== undefined) chmodSync(join(root.path, 'runtime'), 0o755)
  root?.dispose()
})

/** The mode of a folder does not stop the superuser: as such, the start is made by nobody in particular. */
const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

function start(path: string, ...args: string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const command = [join(packageRoot, 'bin', 'mm.js'), '--root', path, 'up', '--no-repl', ...args]
    const child = spawn(process.execPath, command, {
      env: cleanEnv(),
      stdio: ['ignore', 'ignore', 'pipe'],
      ...somebody,
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('close', (code) => resolve({ code, stderr }))
  })
}

it.runIf(existsSync('/sys/kernel'))(
  'a lock in a file system that takes no writes, whoever asks, is refused with read_only',
  () => {
    expect(() => takeLock('/sys', '/sys/kernel/mm-test/lock')).toThrow(expect.objectContaining({ code: 'read_only' }))
  },
)

/** As nobody in particular, the package must be readable: a checkout in a private folder is not. */
const readable = dirname(packageRoot)
  .split('/')
  .every((_part, index, parts) => (statSync(parts.slice(0, index + 1).join('/') || '/').mode & 0o005) === 0o005)

it.runIf(readable || process.getuid?.() !== 0)(
  'a start on a read-only runtime/ is refused with read_only',
  async () => {
    root = createRoot({})
    chmodSync(root.path, 0o755)
    chmodSync(join(root.path, 'runtime'), 0o555)
    const said = await start(root.path)
    expect(said).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^runtime\/lock could not be written: EACCES\n.*writable/),
    })
    const asJson = await start(root.path, '--json')
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'read_only' } })
  },
)
